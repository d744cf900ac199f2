//! The inputs of an evaluation as files.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use wgpu_metric_learning::{Batch, Input, InputSet, Loss, Mode, Truth};

use super::labels::Labels;
use super::mapped::Floats;
use super::npy::{Array, Matrix, Numbers};
use super::output::{self, Named};
use super::{Error, Result, arrays, note};

/// Files that are read, in the help.
pub(crate) const INPUTS: &str =
    "Inputs (.npy, .npz, .safetensors, CSV, Parquet; FILE#NAME is one array or column)";

/// What is known of pairs, either or both.
const OF_PAIRS: &str = "of_pairs";

fn of_pairs() -> ArgGroup {
    ArgGroup::new(OF_PAIRS).args(["same", "targets"]).multiple(true)
}

#[derive(Args, Default)]
#[command(next_help_heading = INPUTS, group = of_pairs())]
pub(crate) struct InputPaths {
    /// N x D numbers: the embeddings; also scores, predictions, logits or weights, as the loss
    /// takes them. Left out: the bundled digits.
    #[arg(long, value_name = "FILE", requires = "objective")]
    pub embeddings: Option<PathBuf>,

    /// N integers or strings: the label of every embedding. Integers from 0 to 4294967295 stay as
    /// they are; where one is none of these, and of strings, the classes are numbered in ascending
    /// order, in both files of labels together. A single negative number, such as -1 for noise, is
    /// refused: it marks rows without a class.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    pub labels: Option<PathBuf>,

    /// M x D numbers: what the embeddings are compared with instead of each other; with --same or
    /// --targets row by row; for MultiMargin one prototype per class.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    pub references: Option<PathBuf>,

    /// M integers or strings: the label of every reference; none for prototypes and row-aligned
    /// pairs.
    #[arg(long, value_name = "FILE", requires = "references")]
    pub reference_labels: Option<PathBuf>,

    /// Row i of the embeddings is the same as row i + ROWS of the references, and is not compared
    /// with itself: 0 where both are one file.
    #[arg(long, value_name = "ROWS", requires = "reference_labels")]
    pub reference_offset: Option<usize>,

    /// P x 2 integers: pairs of rows of the embeddings.
    #[arg(long, value_name = "FILE", requires = OF_PAIRS)]
    pub pairs: Option<PathBuf>,

    /// P integers: 1 where the two rows of a pair are the same, 0 where they are different; of
    /// --pairs, or of row r of the embeddings with row r of --references.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    pub same: Option<PathBuf>,

    /// T x 3 integers: triplets of rows of the embeddings: anchor, positive, negative.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    pub triplets: Option<PathBuf>,

    /// N x D numbers: what predictions are compared with. P numbers: how similar the two rows of a
    /// pair should be, of --pairs or of row r of the embeddings with row r of --references.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    pub targets: Option<PathBuf>,

    /// Numbers: the boundary of Margin, one number or one per class.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    pub beta: Option<PathBuf>,

    /// Numbers from 0 on, one for every embedding, pair or triplet: what its terms are multiplied
    /// by.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    pub weights: Option<PathBuf>,

    /// Numbers from 0 on, one per class: what the terms of every embedding with that label are
    /// multiplied by.
    #[arg(long, value_name = "FILE", requires = "labels", conflicts_with = "weights")]
    pub class_weights: Option<PathBuf>,
}

/// What the input files hold.
pub(crate) struct Inputs {
    given: InputSet<()>,
    embeddings: Matrix<Floats>,
    labels: Option<Vec<u32>>,
    /// What the labels stand for; nothing where they are the numbers of the files.
    pub classes: Vec<String>,
    references: Option<Matrix<Floats>>,
    reference_labels: Option<Vec<u32>>,
    reference_offset: Option<usize>,
    pairs: Option<Vec<[u32; 2]>>,
    same: Option<Vec<u32>>,
    triplets: Option<Vec<[u32; 3]>>,
    targets: Option<Vec<f32>>,
    beta: Option<Vec<f32>>,
    weights: Option<Vec<f32>>,
    class_weights: Option<Vec<f32>>,
}

impl InputPaths {
    /// The files that are given.
    fn given(&self) -> InputSet<&Path> {
        let all = [
            (Input::Embeddings, &self.embeddings),
            (Input::Labels, &self.labels),
            (Input::References, &self.references),
            (Input::ReferenceLabels, &self.reference_labels),
            (Input::Pairs, &self.pairs),
            (Input::Same, &self.same),
            (Input::Triplets, &self.triplets),
            (Input::Targets, &self.targets),
            (Input::Beta, &self.beta),
            (Input::Weights, &self.weights),
            (Input::ClassWeights, &self.class_weights),
        ];
        all.into_iter().fold(InputSet::new(), |set, (input, path)| match path {
            Some(path) => set.with(input, path.as_path()),
            None => set,
        })
    }

    /// The files that are given, by their options.
    pub(crate) fn named(&self) -> Vec<Named<'_>> {
        let given = self.given();
        given.iter().map(|(input, path)| Named { option: option(input), path }).collect()
    }

    /// Reads the files, if any are given. All are judged by their headers before the first of them
    /// is read.
    pub(crate) fn read(&self) -> Result<Option<Inputs>> {
        let Some(embeddings) = &self.embeddings else { return Ok(None) };
        let embeddings = Opened::new(embeddings)?;
        let columns = embeddings.columns()?;
        let open_rows =
            |path| open_if_given(path)?.map(|rows| rows.with_columns(columns)).transpose();
        let references = open_rows(&self.references)?;
        self.tell_of_same_rows();
        let targets = open_if_given(&self.targets)?;
        let targets = targets.map(|file| file.column_or_as_wide(columns)).transpose()?;
        let labels = open_if_given(&self.labels)?;
        let reference_labels = open_if_given(&self.reference_labels)?;
        let pairs = open_if_given(&self.pairs)?;
        let same = open_if_given(&self.same)?;
        let triplets = open_if_given(&self.triplets)?;
        let beta = open_if_given(&self.beta)?;
        let weights = open_if_given(&self.weights)?;
        let class_weights = open_if_given(&self.class_weights)?;
        let (labels, reference_labels, classes) = match (labels, reference_labels) {
            (Some(labels), others) => {
                let Labels { labels, reference_labels, classes, .. } =
                    number_labels(labels, others)?;
                (Some(labels), reference_labels, classes)
            }
            (None, Some(others)) => (None, Some(number_labels(others, None)?.labels), Vec::new()),
            (None, None) => (None, None, Vec::new()),
        };
        Ok(Some(Inputs {
            given: self.given().map(|_| ()),
            labels,
            classes,
            reference_labels,
            reference_offset: self.reference_offset,
            pairs: pairs.map(|file| file.read(Array::entries)).transpose()?,
            same: same.map(|file| file.read(Array::integers)).transpose()?,
            triplets: triplets.map(|file| file.read(Array::entries)).transpose()?,
            beta: beta.map(|file| file.numbers(Array::vector)).transpose()?,
            weights: weights.map(|file| file.numbers(Array::vector)).transpose()?,
            class_weights: class_weights.map(|file| file.numbers(Array::vector)).transpose()?,
            references: references.map(Opened::matrix).transpose()?,
            targets: targets.map(|file| file.numbers(Array::column_or_matrix)).transpose()?,
            embeddings: embeddings.matrix()?,
        }))
    }
}

impl InputPaths {
    /// Tells where every row is compared with itself.
    fn tell_of_same_rows(&self) {
        let Self { embeddings, references, reference_labels, reference_offset, .. } = self;
        let (Some(embeddings), Some(references)) = (embeddings, references) else { return };
        if reference_labels.is_some()
            && reference_offset.is_none()
            && output::is_same(embeddings, references)
        {
            note(
                "--embeddings and --references are one file, and every row is compared with \
                itself: --reference-offset 0 leaves that out",
            );
        }
    }
}

fn open_if_given(path: &Option<PathBuf>) -> Result<Option<Opened<'_>>> {
    path.as_deref().map(Opened::new).transpose()
}

/// Reads a matrix that is no input of a loss.
pub(crate) fn read_matrix(path: &Path) -> Result<Matrix<Floats>> {
    Opened::new(path)?.matrix()
}

/// Reads numbers one after the other that are no input of a loss.
pub(crate) fn read_numbers(path: &Path) -> Result<Vec<f32>> {
    Opened::new(path)?.numbers(Array::vector)
}

/// Reads labels of one file.
pub(crate) fn read_labels(path: &Path) -> Result<Labels> {
    number_labels(Opened::new(path)?, None)
}

/// A file whose values were not read yet.
struct Opened<'a> {
    path: &'a Path,
    array: Array<'static>,
}

impl<'a> Opened<'a> {
    fn new(path: &'a Path) -> Result<Self> {
        Ok(Self { path, array: arrays::open(path)? })
    }

    fn columns(&self) -> Result<usize> {
        self.array.columns().map_err(|problem| Error::file(self.path, problem))
    }

    /// Refuses a matrix that is not as wide as the embeddings.
    fn with_columns(self, expected: usize) -> Result<Self> {
        let columns = self.columns()?;
        if columns == expected {
            return Ok(self);
        }
        let problem =
            format!("its rows have {columns} numbers, those of the embeddings {expected}");
        Err(Error::file(self.path, problem))
    }

    /// Refuses what is neither one column nor a matrix as wide as the embeddings.
    fn column_or_as_wide(self, columns: usize) -> Result<Self> {
        if self.array.check_vector().is_ok() { Ok(self) } else { self.with_columns(columns) }
    }

    fn read<T>(self, how: impl Fn(Array<'static>) -> Result<T, String>) -> Result<T> {
        how(self.array).map_err(|problem| Error::file(self.path, problem))
    }

    /// Takes a matrix of numbers from where it lies, where it can, and else reads it.
    fn matrix(self) -> Result<Matrix<Floats>> {
        let columns = self.columns()?;
        let rows = self.array.rows;
        let lies_there = self.array.is_f32_by_rows();
        if let Some(values) =
            lies_there.then(|| Floats::mapped(self.path, rows * columns)).flatten()
        {
            return Ok(Matrix { values, rows, columns });
        }
        let Matrix { values, .. } = self.numbers(Array::matrix)?;
        Ok(Matrix { values: Floats::Read(values), rows, columns })
    }

    /// Reads numbers, and tells what they have lost as f32.
    fn numbers<T>(self, how: impl Fn(Array<'static>) -> Result<Numbers<T>, String>) -> Result<T> {
        let path = self.path;
        let Numbers { numbers, note } = self.read(how)?;
        tell_of(path, note);
        Ok(numbers)
    }
}

/// The labels of one set or two in one numbering, and tells which it is.
fn number_labels(labels: Opened, references: Option<Opened>) -> Result<Labels> {
    let path = labels.path;
    let references_path = references.as_ref().map_or(path, |references| references.path);
    let references = references.map(|file| file.read(Array::labels)).transpose()?;
    let numbered = Labels::of(labels.read(Array::labels)?, references);
    let mut numbered = numbered.map_err(|problem| {
        let path = if problem.is_of_references { references_path } else { path };
        Error::file(path, problem.text)
    })?;
    tell_of(path, numbered.note.take());
    Ok(numbered)
}

pub(crate) fn tell_of(path: &Path, note: Option<String>) {
    if let Some(note) = note {
        super::note(&format!("{}: {note}", path.display()));
    }
}

fn not_taken(option: &'static str, losses: &[&str]) -> Error {
    let problem = format!("{} does not take it with these inputs", losses.join(", "));
    Error::option(option, problem)
}

/// The option of the file of an input.
fn option(input: Input) -> &'static str {
    match input {
        Input::Embeddings => "--embeddings",
        Input::Labels => "--labels",
        Input::References => "--references",
        Input::ReferenceLabels => "--reference-labels",
        Input::Pairs => "--pairs",
        Input::Same => "--same",
        Input::Triplets => "--triplets",
        Input::Targets => "--targets",
        Input::Beta => "--beta",
        Input::Weights => "--weights",
        Input::ClassWeights => "--class-weights",
        other => other.name(),
    }
}

/// What a mode needs beside the embeddings.
fn needs(mode: Mode) -> &'static [Input] {
    match mode {
        Mode::Reference => &[Input::Labels, Input::References, Input::ReferenceLabels],
        Mode::Prototypes => &[Input::Labels, Input::References],
        Mode::PairRows => &[Input::References, Input::Same],
        Mode::PairIndices => &[Input::Pairs, Input::Same],
        Mode::ScoredPairRows => &[Input::References, Input::Targets],
        Mode::ScoredPairIndices => &[Input::Pairs, Input::Targets],
        Mode::Triplets => &[Input::Triplets],
        Mode::Pointwise => &[],
        _ => &[Input::Labels],
    }
}

/// The weights that terms can have, of classes only those of rows with labels.
fn weights_of(loss: &Loss, mode: Mode) -> &'static [Input] {
    match mode {
        _ if !loss.takes_weights() => &[],
        Mode::PairRows | Mode::PairIndices | Mode::Triplets => &[Input::Weights],
        _ if needs(mode).contains(&Input::Labels) => &[Input::Weights, Input::ClassWeights],
        _ => &[],
    }
}

/// What a pointwise loss compares its values with.
fn truth_of(loss: &Loss) -> Option<&'static Input> {
    match loss.truth() {
        Truth::Targets | Truth::Signs => Some(&Input::Targets),
        Truth::Labels => Some(&Input::Labels),
        _ => None,
    }
}

impl Inputs {
    /// Whether triplets are listed.
    pub(crate) fn has_triplets(&self) -> bool {
        self.given.has(Input::Triplets)
    }

    /// The mode of the loss that makes the most of the files.
    pub(crate) fn mode(&self, loss: &Loss) -> Result<Mode> {
        let lacking = |mode: &Mode| {
            needs(*mode).iter().chain(truth_of(loss)).find(|&&input| !self.given.has(input))
        };
        let possible = loss.modes().iter().filter(|mode| lacking(mode).is_none());
        let fullest = possible.copied().max_by_key(|mode| needs(*mode).len());
        fullest.ok_or_else(|| {
            // Of the mode that has the most already, the first among equals.
            let given =
                |mode: &&Mode| needs(**mode).iter().filter(|&&input| self.given.has(input)).count();
            let nearest = loss.modes().iter().rev().max_by_key(given);
            let input = nearest.and_then(lacking).copied().unwrap_or(Input::Labels);
            Error::option(option(input), format!("{} needs it", loss.name()))
        })
    }

    /// Refuses a file that none of the losses takes.
    pub(crate) fn check<'a>(&self, losses: impl Iterator<Item = &'a Loss>) -> Result<()> {
        let mut taken = Vec::new();
        let mut names = Vec::new();
        for loss in losses {
            names.push(loss.name());
            taken.extend(needs(self.mode(loss)?));
            taken.extend(loss.has_beta().then_some(&Input::Beta));
            taken.extend(weights_of(loss, self.mode(loss)?));
            taken.extend(truth_of(loss));
        }
        taken.push(&Input::Embeddings);
        if self.reference_offset.is_some() && !taken.contains(&&Input::ReferenceLabels) {
            return Err(not_taken("--reference-offset", &names));
        }
        let mut given = self.given.iter().map(|(input, ())| input);
        match given.find(|input| !taken.contains(&input)) {
            Some(input) => Err(not_taken(option(input), &names)),
            None => Ok(()),
        }
    }

    /// The inputs as the loss takes them.
    pub(crate) fn batch(&self, loss: &Loss) -> Result<Batch<'_>> {
        let mode = self.mode(loss)?;
        let batch = self.batch_in(mode)?;
        let taken = weights_of(loss, mode);
        let batch = match (&self.weights, &self.class_weights) {
            (Some(weights), _) if taken.contains(&Input::Weights) => batch.with_weights(weights)?,
            (None, Some(weights)) if taken.contains(&Input::ClassWeights) => {
                batch.with_class_weights(weights)?
            }
            _ => batch,
        };
        if let (Some(beta), true) = (&self.beta, loss.has_beta()) {
            return Ok(batch.with_beta(beta)?);
        }
        Ok(match (truth_of(loss), &self.targets, &self.labels) {
            (Some(Input::Targets), Some(targets), _) => batch.with_targets(targets)?,
            (Some(Input::Labels), _, Some(labels)) => batch.with_labels(labels)?,
            _ => batch,
        })
    }

    /// The inputs of a mode whose files are there.
    pub(crate) fn batch_in(&self, mode: Mode) -> Result<Batch<'_>> {
        let Matrix { values, rows, columns } = &self.embeddings;
        let shape = [*rows, *columns];
        let labels = self.labels.as_deref().unwrap_or_default();
        let same = self.same.as_deref().unwrap_or_default();
        let targets = self.targets.as_deref().unwrap_or_default();
        let pairs = self.pairs.as_deref().unwrap_or_default();
        let references = self
            .references
            .as_ref()
            .map_or((&[][..], 0), |matrix| (&matrix.values[..], matrix.rows));
        Ok(match mode {
            Mode::Scores => Batch::scores(values, shape, labels)?,
            Mode::Reference => {
                let reference_labels = self.reference_labels.as_deref().unwrap_or_default();
                let batch = Batch::new(values, shape, labels)?.with_references(
                    references.0,
                    references.1,
                    reference_labels,
                )?;
                match self.reference_offset {
                    Some(offset) => batch.with_reference_offset(offset)?,
                    None => batch,
                }
            }
            Mode::Prototypes => {
                Batch::new(values, shape, labels)?.with_prototypes(references.0, references.1)?
            }
            Mode::PairRows => Batch::pair_rows(values, references.0, shape, same)?,
            Mode::PairIndices => Batch::pair_indices(values, shape, pairs, same)?,
            Mode::ScoredPairRows => Batch::scored_pair_rows(values, references.0, shape, targets)?,
            Mode::ScoredPairIndices => Batch::scored_pair_indices(values, shape, pairs, targets)?,
            Mode::Triplets => {
                Batch::triplets(values, shape, self.triplets.as_deref().unwrap_or_default())?
            }
            Mode::Pointwise => Batch::pointwise(values, shape)?,
            _ => Batch::new(values, shape, labels)?,
        })
    }
}

/// The options that were given.
pub(crate) fn named<'a>(
    options: impl IntoIterator<Item = (&'static str, &'a Option<PathBuf>)>,
) -> Vec<Named<'a>> {
    let given = options.into_iter().filter_map(|(option, path)| Some((option, path.as_deref()?)));
    given.map(|(option, path)| Named { option, path }).collect()
}
