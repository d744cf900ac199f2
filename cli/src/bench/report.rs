//! The report of timed or predicted losses: a page of tables and pictures.

use std::collections::BTreeMap;

use crate::Result;
use crate::pictures::{self, Line, Lines, Page, Picture};
use crate::table::Column;

/// A loss on rows of one size.
pub(super) struct Point {
    pub loss: String,
    pub n: usize,
    pub d: usize,
    pub milliseconds: f64,
    /// As its line is printed.
    pub cells: Vec<String>,
    /// A line for each of its stages, where they are known.
    pub stages: Vec<String>,
}

/// What a report shows.
pub(super) struct Report<'a> {
    /// What has computed.
    pub on: String,
    /// What that can do at most, by names.
    pub limits: Vec<(&'static str, String)>,
    /// What is told of a point.
    pub columns: &'a [Column],
    /// What its milliseconds are.
    pub milliseconds: &'static str,
    pub points: Vec<Point>,
}

/// The times of losses by the number of rows, under their names.
type Times<'a> = Vec<(&'a str, Vec<[f64; 2]>)>;

impl Report<'_> {
    pub(super) fn page(&self) -> Result<Page> {
        let mut page = Page::new("Times of losses", &self.on);
        page.say("Loss and gradients of each; both axes of the pictures are logarithmic.");
        page.beside(self.pictures()?);
        page.section("Points");
        let titles: Vec<_> = self.columns.iter().map(Column::title).collect();
        let rows: Vec<_> = self.points.iter().map(|point| point.cells.clone()).collect();
        page.add(&pictures::table(&titles, &rows));
        if !self.limits.is_empty() {
            page.section("Limits");
            let rows = self.limits.iter().map(|(name, limit)| vec![(*name).into(), limit.clone()]);
            page.add(&pictures::table(&["of the device", "value"], &rows.collect::<Vec<_>>()));
        }
        let stages: Vec<_> = self.points.iter().flat_map(Point::stage_rows).collect();
        if !stages.is_empty() {
            page.section("Stages");
            page.add(&pictures::table(&["loss", "N", "D", "stage"], &stages));
        }
        Ok(page)
    }

    /// For rows of every width the times by their number.
    fn pictures(&self) -> Result<Vec<Picture>> {
        let mut by_width: BTreeMap<usize, Times<'_>> = BTreeMap::new();
        for Point { loss, n, d, milliseconds, .. } in &self.points {
            let losses = by_width.entry(*d).or_default();
            let point = [*n as f64, *milliseconds];
            match losses.iter_mut().find(|(name, _)| name == loss) {
                Some((_, points)) => points.push(point),
                None => losses.push((loss, vec![point])),
            }
        }
        let picture = |(d, mut losses): (usize, Times<'_>)| {
            for (_, points) in &mut losses {
                points.sort_by(|one, other| one[0].total_cmp(&other[0]));
            }
            let lines: Vec<_> = losses.iter().map(|(name, points)| Line { name, points }).collect();
            let axes = ["N", self.milliseconds];
            let svg = pictures::lines(&Lines { lines: &lines, axes, is_logarithmic: true })?;
            Ok(Picture::new(&format!("time-{d}"), &format!("rows of {d} numbers"), svg))
        };
        by_width.into_iter().map(picture).collect()
    }
}

impl Point {
    fn stage_rows(&self) -> impl Iterator<Item = Vec<String>> {
        let Self { loss, n, d, stages, .. } = self;
        stages.iter().map(|stage| vec![loss.clone(), n.to_string(), d.to_string(), stage.clone()])
    }
}
