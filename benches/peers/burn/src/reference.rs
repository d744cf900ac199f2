//! The losses as plain f64 loops over their definitions.

pub fn loss(name: &str, x: &[f64], prototypes: &[f64], labels: &[u32], dim: usize) -> f64 {
    let n = labels.len();
    let row = |i: usize| &x[i * dim..(i + 1) * dim];
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(p, q)| p * q).sum::<f64>();
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(p, q)| (p - q) * (p - q)).sum::<f64>().sqrt();
    let d: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| distance(row(i), row(j))).collect()).collect();
    let positives = |i: usize| (0..n).filter(move |&j| j != i && labels[j] == labels[i]);
    let negatives = |i: usize| (0..n).filter(move |&j| labels[j] != labels[i]);
    let exp_logit = |i: usize, j: usize| {
        let norm = |i: usize| dot(row(i), row(i)).sqrt();
        (dot(row(i), row(j)) / (norm(i) * norm(j)) / 0.1).exp()
    };
    let mut mean = Mean::default();
    match name {
        "contrastive" => {
            let mut negative_mean = Mean::default();
            for i in 0..n {
                positives(i).for_each(|j| mean.add_hinge(d[i][j]));
                negatives(i).for_each(|j| negative_mean.add_hinge(1.0 - d[i][j]));
            }
            return mean.value() + negative_mean.value();
        }
        "triplet_all" => {
            let mut anchor = |i: usize, p: usize| negatives(i).for_each(|k| mean.add_hinge(d[i][p] - d[i][k] + 0.2));
            (0..n).for_each(|i| positives(i).for_each(|p| anchor(i, p)));
        }
        "triplet_hard" => {
            for i in 0..n {
                let farthest = positives(i).map(|p| d[i][p]).fold(f64::NEG_INFINITY, f64::max);
                let nearest = negatives(i).map(|k| d[i][k]).fold(f64::INFINITY, f64::min);
                mean.add_hinge(farthest - nearest + 0.2);
            }
        }
        "lifted" => {
            let side = |i: usize| negatives(i).map(|k| (1.0 - d[i][k]).exp()).sum::<f64>();
            for i in 0..n {
                for j in positives(i).filter(|&j| j > i) {
                    mean.add(0.5 * ((side(i) + side(j)).ln() + d[i][j]).max(0.0).powi(2));
                }
            }
        }
        "multi_margin" => {
            let classes = prototypes.len() / dim;
            for i in 0..n {
                let own = labels[i] as usize;
                let score = |c: usize| -distance(row(i), &prototypes[c * dim..(c + 1) * dim]);
                let others = (0..classes).filter(|&c| c != own);
                let sum: f64 = others.map(|c| (score(c) - score(own) + 1.0).max(0.0)).sum();
                mean.add(sum / classes as f64);
            }
        }
        "margin" => {
            for i in 0..n {
                positives(i).for_each(|j| mean.add_hinge(d[i][j] - 1.2 + 0.2));
                negatives(i).for_each(|j| mean.add_hinge(1.2 - d[i][j] + 0.2));
            }
        }
        "ntxent" => {
            for i in 0..n {
                let sum: f64 = negatives(i).map(|k| exp_logit(i, k)).sum();
                positives(i).for_each(|p| mean.add(-(exp_logit(i, p) / (exp_logit(i, p) + sum)).ln()));
            }
        }
        "supcon" => {
            for i in (0..n).filter(|&i| positives(i).next().is_some()) {
                let sum: f64 = positives(i).chain(negatives(i)).map(|k| exp_logit(i, k)).sum();
                let logs: f64 = positives(i).map(|p| (exp_logit(i, p) / sum).ln()).sum();
                mean.add(-logs / positives(i).count() as f64);
            }
        }
        _ => unreachable!("{name}"),
    }
    mean.value()
}

#[derive(Default)]
struct Mean {
    sum: f64,
    terms: usize,
}

impl Mean {
    fn add(&mut self, term: f64) {
        self.sum += term;
        self.terms += 1;
    }

    /// max(0, term), which counts only above 0.
    fn add_hinge(&mut self, term: f64) {
        if term > 0.0 {
            self.add(term);
        }
    }

    fn value(&self) -> f64 {
        self.sum / self.terms.max(1) as f64
    }
}
