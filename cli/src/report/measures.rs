//! Measures of retrieval as they are printed.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use wgpu_metric_learning::measures::{Measures, Retrieval};

use crate::{Error, Result, pictures, table};

/// Measures by the names that they are printed with.
#[derive(Clone, Serialize)]
pub(crate) struct MeasureNumbers {
    counted: u64,
    #[serde(flatten)]
    recall: AtCutoffs,
    #[serde(flatten)]
    precision: AtCutoffs,
    #[serde(flatten)]
    ndcg: AtCutoffs,
    r_precision: f64,
    mean_average_precision_at_r: f64,
    mean_reciprocal_rank: f64,
    mean_average_precision: f64,
}

impl MeasureNumbers {
    pub(crate) fn of(retrieval: &Retrieval, measures: &Measures<f64>) -> Self {
        let at = |measure, cutoffs: &[usize], numbers: &[f64]| AtCutoffs {
            measure,
            at: cutoffs.iter().copied().zip(numbers.iter().copied()).collect(),
        };
        // Precision@1 is always told.
        let mut precision = at("precision", &retrieval.precision_at, &measures.precision);
        precision.at.insert(0, (1, measures.precision_at_1));
        Self {
            counted: measures.counted,
            recall: at("recall", &retrieval.recall_at, &measures.recall),
            precision,
            ndcg: at("ndcg", &retrieval.ndcg_at, &measures.ndcg),
            r_precision: measures.r_precision,
            mean_average_precision_at_r: measures.mean_average_precision_at_r,
            mean_reciprocal_rank: measures.mean_reciprocal_rank,
            mean_average_precision: measures.mean_average_precision,
        }
    }
}

/// What is said of measures beside themselves.
#[derive(Clone, Default, Serialize)]
pub(crate) struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<Vec<ClassReport>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<Confidence>,
}

/// The measures of the queries of one class.
#[derive(Clone, Serialize)]
struct ClassReport {
    class: String,
    queries: u64,
    #[serde(flatten)]
    numbers: MeasureNumbers,
}

/// Between which values the measures are in this share of the draws.
#[derive(Clone, Serialize)]
struct Confidence {
    share: f64,
    draws: u32,
    seed: u32,
    low: MeasureNumbers,
    high: MeasureNumbers,
}

impl Details {
    /// With the measures of every class, by its name.
    pub(crate) fn with_classes(
        self,
        retrieval: &Retrieval,
        classes: impl Iterator<Item = (String, Measures)>,
    ) -> Self {
        let classes = classes.map(|(class, measures)| ClassReport {
            class,
            queries: measures.queries,
            numbers: MeasureNumbers::of(retrieval, &measures.map(f64::from)),
        });
        Self { classes: Some(classes.collect()), ..self }
    }

    /// With the values between which the measures are in this share of the draws.
    pub(crate) fn with_confidence(
        self,
        retrieval: &Retrieval,
        (share, draws, seed): (f64, u32, u32),
        bounds: [Measures; 2],
    ) -> Self {
        let [low, high] = bounds.map(|bound| MeasureNumbers::of(retrieval, &bound.map(f64::from)));
        Self { confidence: Some(Confidence { share, draws, seed, low, high }), ..self }
    }

    /// The measures as a table in HTML, with their bounds where they are known.
    pub(crate) fn table(&self, numbers: &MeasureNumbers) -> Result<String> {
        let numbers = table::entries(numbers).map_err(Error::output)?;
        let Some(Confidence { low, high, .. }) = &self.confidence else {
            let rows: Vec<_> =
                numbers.into_iter().map(|(name, number)| vec![name, number]).collect();
            return Ok(pictures::table(&["measure", "value"], &rows));
        };
        let [low, high] = [low, high].map(|bound| table::entries(bound).map_err(Error::output));
        let rows = numbers.into_iter().zip(low?.into_iter().zip(high?));
        let rows =
            rows.map(|((name, number), ((_, low), (_, high)))| vec![name, number, low, high]);
        let rows: Vec<_> = rows.collect();
        Ok(pictures::table(&["measure", "value", "from", "to"], &rows))
    }

    /// What the bounds are, where they are known.
    pub(crate) fn bounds(&self) -> Option<String> {
        let Confidence { share, draws, .. } = self.confidence.as_ref()?;
        Some(format!("{} each measure is from one value to the other.", within(*share, *draws)))
    }

    /// The measures of every class as a table in HTML, where they are known.
    pub(crate) fn class_table(&self) -> Result<Option<String>> {
        let Some(classes) = &self.classes else { return Ok(None) };
        let mut titles = vec!["class".to_owned(), "queries".to_owned()];
        let mut rows = Vec::new();
        for ClassReport { class, queries, numbers } in classes {
            let entries = table::entries(numbers).map_err(Error::output)?;
            let (names, numbers): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
            titles.truncate(2);
            titles.extend(names);
            rows.push([class.clone(), queries.to_string()].into_iter().chain(numbers).collect());
        }
        let titles: Vec<_> = titles.iter().map(String::as_str).collect();
        Ok(Some(pictures::table(&titles, &rows)))
    }

    /// Tables for people, each behind an empty line.
    pub(super) fn text(&self) -> Result<String> {
        let mut text = String::new();
        if let Some(Confidence { share, draws, low, high, .. }) = &self.confidence {
            let [low, high] = [low, high].map(|bound| table::entries(bound).map_err(Error::output));
            let bounds = low?.into_iter().zip(high?).filter(|((name, _), _)| name != "counted");
            let lines: Vec<_> =
                bounds.map(|((name, low), (_, high))| (name, format!("{low} to {high}"))).collect();
            let title = within(*share, *draws);
            text += &format!("\n\n{title}:\n{}", table::properties(&lines));
        }
        for ClassReport { class, queries, numbers } in self.classes.iter().flatten() {
            let lines = table::entries(numbers).map_err(Error::output)?;
            let title = format!("Class {class}, {queries} queries:");
            text += &format!("\n\n{title}\n{}", table::properties(&lines));
        }
        Ok(text)
    }
}

fn within(share: f64, draws: u32) -> String {
    format!("In {} % of {draws} draws of the queries", 100.0 * share)
}

/// A measure for every k, each once.
#[derive(Clone)]
struct AtCutoffs {
    measure: &'static str,
    at: Vec<(usize, f64)>,
}

impl Serialize for AtCutoffs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (at, (k, number)) in self.at.iter().enumerate() {
            if !self.at[..at].iter().any(|(earlier, _)| earlier == k) {
                map.serialize_entry(&format!("{}_at_{k}", self.measure), number)?;
            }
        }
        map.end()
    }
}
