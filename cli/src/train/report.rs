//! The report of a training: a page of pictures.

use super::course::Told;
use super::outcome::MeasuresOf;
use super::rows::Rows;
use crate::Result;
use crate::pictures::{self, Line, Lines, Page, Pairs, Picture, Thumbnails};

/// What a report shows.
pub(super) struct Report<'a> {
    /// Which kernels have computed.
    pub on: &'a str,
    pub course: &'a [Told],
    pub held_out: &'a Rows,
    /// What the head makes of them, and how many numbers of each.
    pub outputs: (&'a [f32], usize),
    pub measured: [MeasuresOf; 2],
    /// The columns of a row where rows are pictures.
    pub picture_width: Option<usize>,
}

impl Report<'_> {
    pub(super) fn page(&self) -> Result<Page> {
        let Rows { labels, classes, numbers, .. } = self.held_out;
        let of = |values, columns| pictures::Rows { values, columns, labels, classes, numbers };
        let before = of(&self.held_out.values, self.held_out.columns);
        let after = of(self.outputs.0, self.outputs.1);
        let thumbnails = self.picture_width.map(|width| Thumbnails { rows: before, width });
        let thumbnails = thumbnails.as_ref();
        let sides = [before, after].map(Pairs::among);
        let both = |what: &str, [inputs, outputs]: [String; 2]| {
            [
                Picture::new(&format!("{what}-before"), "inputs", inputs),
                Picture::new(&format!("{what}-after"), "outputs of the head", outputs),
            ]
        };

        let mut page = Page::new("A trained head", self.on);
        let rows = labels.len();
        page.say(&format!("All that follows is of the {rows} rows held out, but for the course."));
        page.section("Measures");
        page.add(&self.measures());
        page.section("Course");
        page.beside(self.course()?);
        page.section("Distances");
        let [inputs, outputs] = sides.each_ref().map(pictures::distances);
        page.beside(both("distances", [inputs?, outputs?]));
        page.section("Principal components");
        page.say("A pointer on a point tells its row of the file, from 0 on, and its label.");
        let [inputs, outputs] = [&before, &after].map(|rows| pictures::scatter(rows, thumbnails));
        page.beside(both("components", [inputs?, outputs?]));
        page.section("Nearest neighbours");
        page.say("Under each its label; one of another class has a dashed line.");
        let [before, after] = sides;
        let sides = [("nearest before", before), ("nearest after", after)];
        page.add(&pictures::neighbours(&sides, thumbnails)?);
        Ok(page)
    }

    fn measures(&self) -> String {
        let [before, after] = &self.measured;
        let rows = before.beside(after).map(|texts| texts.to_vec());
        pictures::table(&["measure", "inputs", "outputs"], &rows)
    }

    fn course(&self) -> Result<Vec<Picture>> {
        let line = |name, what, of: &dyn Fn(&Told) -> Option<f64>| -> Result<_> {
            let points: Vec<[f64; 2]> = self
                .course
                .iter()
                .filter_map(|told| Some([f64::from(told.step), of(told)?]))
                .collect();
            let line = [Line { name: "", points: &points }];
            let lines = Lines { lines: &line, axes: ["step", what], is_logarithmic: false };
            Ok(Picture::new(name, what, pictures::lines(&lines)?))
        };
        let mut all = vec![
            line("loss", "loss", &|told| Some(f64::from(told.loss)))?,
            line("terms", "share of non-zero terms", &|told| Some(told.active()))?,
        ];
        if self.course.iter().any(|told| told.map_at_r.is_some()) {
            let measured = |told: &Told| told.map_at_r.map(f64::from);
            all.push(line("map-at-r", "MAP@R of the rows held out", &measured)?);
        }
        Ok(all)
    }
}
