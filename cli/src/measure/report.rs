//! The report of measures: a page of tables and pictures.

use wgpu_metric_learning::Batch;
use wgpu_metric_learning::measures::{Measures, Retrieval};

use crate::Result;
use crate::pictures::{self, Line, Lines, Page, Pairs, Picture, Rows, Thumbnails};
use crate::report::{Details, MeasureNumbers};

/// What a report shows.
pub(super) struct Report<'a> {
    /// What has computed.
    pub on: &'a str,
    pub retrieval: &'a Retrieval,
    pub batch: &'a Batch<'a>,
    /// What the labels stand for; nothing where they are numbers.
    pub classes: &'a [String],
    pub measures: &'a Measures<f64>,
    pub details: &'a Details,
    /// The columns of a row where rows are pictures.
    pub picture_width: Option<usize>,
}

impl Report<'_> {
    pub(super) fn page(&self) -> Result<Page> {
        let numbers: Vec<usize> = (0..self.rows().max(self.batch.shape().references())).collect();
        let pairs = self.pairs(&numbers);
        let rows = pairs.queries;
        let thumbnails = self.picture_width.map(|width| Thumbnails { rows, width });
        let thumbnails = thumbnails.as_ref();

        let mut page = Page::new("Retrieval", self.on);
        page.say(&self.what());
        page.section("Measures");
        if let Some(bounds) = self.details.bounds() {
            page.say(&bounds);
        }
        page.add(&self.details.table(&MeasureNumbers::of(self.retrieval, self.measures))?);
        page.section("Distances and ranks");
        let pictures =
            [Picture::new("distances", "distances", pictures::distances(&pairs)?)].into_iter();
        page.beside(pictures.chain(self.at_cutoffs()?));
        page.section("Principal components");
        page.say("A pointer on a point tells its row of the file, from 0 on, and its label.");
        let components = pictures::scatter(&rows, thumbnails)?;
        page.beside([Picture::new("components", "embeddings", components)]);
        page.section("Nearest neighbours");
        page.say("Under each its label; one of another class has a dashed line.");
        page.add(&pictures::neighbours(&[("nearest", pairs)], thumbnails)?);
        if let Some(table) = self.details.class_table()? {
            page.section("Classes");
            page.add(&table);
        }
        Ok(page)
    }

    fn rows(&self) -> usize {
        self.batch.shape().queries()
    }

    /// Of what the measures are, in a sentence.
    fn what(&self) -> String {
        let shape = self.batch.shape();
        let Retrieval { distance, normalize, .. } = self.retrieval;
        let norms = if *normalize { ", every row divided by its norm" } else { "" };
        let others = match shape.has_references() {
            true => format!(" retrieve {} references", shape.references()),
            false => " retrieve each other".to_owned(),
        };
        let (rows, columns) = (self.rows(), shape.dimensions());
        format!("{rows} rows of {columns} numbers{others} by the {distance} distance{norms}.")
    }

    fn pairs<'a>(&'a self, numbers: &'a [usize]) -> Pairs<'a> {
        let (batch, classes) = (self.batch, self.classes);
        let columns = batch.shape().dimensions();
        let of = |values, labels| Rows { values, columns, labels, classes, numbers };
        let queries = of(batch.embeddings(), batch.labels());
        let Retrieval { distance, normalize, .. } = *self.retrieval;
        let among = Pairs { distance, normalize, ..Pairs::among(queries) };
        match batch.shape().has_references() {
            true => Pairs {
                references: of(batch.references(), batch.reference_labels()),
                offset: batch.shape().reference_offset(),
                ..among
            },
            false => among,
        }
    }

    /// The measures that are of the k nearest, where they are of several k.
    fn at_cutoffs(&self) -> Result<Option<Picture>> {
        let Retrieval { recall_at, precision_at, ndcg_at, .. } = self.retrieval;
        let Measures { recall, precision, ndcg, .. } = self.measures;
        let all = [
            ("Recall@k", recall_at, recall),
            ("Precision@k", precision_at, precision),
            ("NDCG@k", ndcg_at, ndcg),
        ];
        let points = all.map(|(name, at, numbers)| {
            let points = at.iter().zip(numbers).map(|(&k, &number)| [k as f64, number]);
            let mut points: Vec<_> = points.collect();
            points.sort_by(|one, other| one[0].total_cmp(&other[0]));
            (name, points)
        });
        let lines = points.iter().filter(|(_, points)| points.len() > 1);
        let lines: Vec<_> = lines.map(|(name, points)| Line { name, points }).collect();
        if lines.is_empty() {
            return Ok(None);
        }
        let axes = ["k", "mean over the queries"];
        let svg = pictures::lines(&Lines { lines: &lines, axes, is_logarithmic: false })?;
        Ok(Some(Picture::new("at-k", "among the k nearest", svg)))
    }
}
