//! The report of a training: a page of pictures.

use std::env;
use std::path::Path;

use super::course::Told;
use super::outcome::MeasuresOf;
use super::rows::Rows;
use crate::Result;
use crate::pictures::{self, Line, Page, Thumbnails};

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
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let Rows { labels, classes, numbers, .. } = self.held_out;
        let of = |values, columns| pictures::Rows { values, columns, labels, classes, numbers };
        let before = of(&self.held_out.values, self.held_out.columns);
        let after = of(self.outputs.0, self.outputs.1);
        let thumbnails = self.picture_width.map(|width| Thumbnails { rows: before, width });
        let thumbnails = thumbnails.as_ref();

        let mut page = Page::new("A trained head");
        page.command(&command());
        let version = env!("CARGO_PKG_VERSION");
        page.say(&format!(
            "wgpu-metric-learning {version}, {}. All that follows is of the {} rows held out, but for the course.",
            self.on,
            labels.len()
        ));
        page.section("Measures");
        page.add(&self.measures());
        page.section("Course");
        page.beside(&self.course()?);
        page.section("Distances");
        page.key(&pictures::KEY.map(|(class, meaning)| (pictures::colour(class), meaning)));
        page.beside(&[
            ("inputs", pictures::distances(&before)?),
            ("outputs of the head", pictures::distances(&after)?),
        ]);
        page.section("Principal components");
        page.say("A pointer on a point tells its row of the file, from 0 on, and its label.");
        page.beside(&[
            ("inputs", pictures::scatter(&before, thumbnails)?),
            ("outputs of the head", pictures::scatter(&after, thumbnails)?),
        ]);
        page.section("Nearest neighbours");
        page.say("Under each its label; one of another class has a dashed line.");
        page.add(&pictures::neighbours(&before, &after, thumbnails)?);
        page.write(path)
    }

    fn measures(&self) -> String {
        let [before, after] = &self.measured;
        let rows = before.beside(after).map(|texts| texts.to_vec());
        pictures::table(&["measure", "inputs", "outputs"], &rows)
    }

    fn course(&self) -> Result<Vec<(&'static str, String)>> {
        let line = |of: &dyn Fn(&Told) -> Option<f64>, what| -> Result<_> {
            let points: Vec<[f64; 2]> = self
                .course
                .iter()
                .filter_map(|told| Some([f64::from(told.step), of(told)?]))
                .collect();
            let picture = pictures::lines(&Line { points: &points, axes: ["step", what] })?;
            Ok((what, picture))
        };
        let mut all = vec![
            line(&|told| Some(f64::from(told.loss)), "loss")?,
            line(&|told| Some(told.active()), "share of non-zero terms")?,
        ];
        if self.course.iter().any(|told| told.map_at_r.is_some()) {
            all.push(line(&|told| told.map_at_r.map(f64::from), "MAP@R of the rows held out")?);
        }
        Ok(all)
    }
}

/// The line that was typed, as a shell takes it.
fn command() -> String {
    let quoted = |argument: String| {
        let is_plain = |letter: char| letter.is_alphanumeric() || "-_./=,:@+".contains(letter);
        match argument.chars().all(is_plain) && !argument.is_empty() {
            true => argument,
            false => format!("'{}'", argument.replace('\'', r"'\''")),
        }
    };
    let arguments =
        env::args_os().skip(1).map(|argument| quoted(argument.to_string_lossy().into()));
    std::iter::once(env!("CARGO_BIN_NAME").to_owned())
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}
