//! Labels as files have them, numbered where they are not numbers that a label can be.

use std::fmt::Display;

/// The labels of a file.
#[derive(Debug, PartialEq)]
pub enum Ids {
    Numbers(Vec<i128>),
    Texts(Vec<String>),
}

/// Labels of one file or two in one numbering, and what is to be said of it.
#[derive(Debug, PartialEq)]
pub struct Labels {
    pub labels: Vec<u32>,
    pub reference_labels: Option<Vec<u32>>,
    /// What each number stands for; nothing where labels are the numbers of the file.
    pub classes: Vec<String>,
    pub note: Option<String>,
}

/// What is wrong with the labels of a file, the second one or the first.
#[derive(Debug, PartialEq)]
pub struct Problem {
    pub is_of_references: bool,
    pub text: String,
}

impl Labels {
    /// Numbers that are u32 stay as they are; others, and strings, are classes by their order.
    pub fn of(labels: Ids, reference_labels: Option<Ids>) -> Result<Self, Problem> {
        let problem = |is_of_references, text| Problem { is_of_references, text };
        labels.check().map_err(|text| problem(false, text))?;
        reference_labels.iter().try_for_each(Ids::check).map_err(|text| problem(true, text))?;
        match (labels, reference_labels) {
            (Ids::Numbers(own), None) => Ok(Self::of_numbers(&own, None)),
            (Ids::Numbers(own), Some(Ids::Numbers(others))) => {
                Ok(Self::of_numbers(&own, Some(&others)))
            }
            (Ids::Texts(own), None) => Ok(Self::classes(&own, None, "strings")),
            (Ids::Texts(own), Some(Ids::Texts(others))) => {
                Ok(Self::classes(&own, Some(&others), "strings"))
            }
            (Ids::Numbers(_), _) => {
                Err(problem(true, "strings, where the other labels are numbers".into()))
            }
            (Ids::Texts(_), _) => {
                Err(problem(true, "numbers, where the other labels are strings".into()))
            }
        }
    }

    fn of_numbers(own: &[i128], others: Option<&[i128]>) -> Self {
        let plain = |numbers: &[i128]| numbers.iter().map(|&n| u32::try_from(n).ok()).collect();
        let as_they_are = |labels, reference_labels| Self {
            labels,
            reference_labels,
            classes: Vec::new(),
            note: None,
        };
        match (plain(own), others.map(plain)) {
            (Some(labels), None) => as_they_are(labels, None),
            (Some(labels), Some(Some(others))) => as_they_are(labels, Some(others)),
            _ => Self::classes(own, others, "ids that are no u32"),
        }
    }

    /// Every distinct label by its place in ascending order.
    pub fn classes<T: Ord + Display>(own: &[T], others: Option<&[T]>, what: &str) -> Self {
        let mut classes: Vec<&T> = own.iter().chain(others.unwrap_or_default()).collect();
        classes.sort_unstable();
        classes.dedup();
        let number = |labels: &[T]| {
            labels
                .iter()
                .map(|label| classes.partition_point(|&class| class < label) as u32)
                .collect()
        };
        let note = match classes[..] {
            [] => None,
            [only] => Some(format!("{what}: one class, {only:.40} is 0")),
            [first, .., last] => Some(format!(
                "{what}: {} classes in ascending order, {first:.40} is 0 and {last:.40} is {}",
                classes.len(),
                classes.len() - 1
            )),
        };
        let names = classes.iter().map(|class| class.to_string()).collect();
        Self { labels: number(own), reference_labels: others.map(number), classes: names, note }
    }
}

impl Ids {
    /// Refuses what marks a row without a class: one negative number among labels, such as -1, and
    /// the empty string.
    fn check(&self) -> Result<(), String> {
        match self {
            Self::Numbers(numbers) => match mark(numbers) {
                Some(row) => Err(format!(
                    "row {row} is {mark}, the only negative label, as rows without a class have it: leave \
                     such rows out of all files (array[labels != {mark}]); where it is a class, \
                     numpy.unique(labels, return_inverse=True)[1] numbers them all",
                    mark = numbers[row]
                )),
                None => Ok(()),
            },
            Self::Texts(texts) => match texts.iter().position(String::is_empty) {
                Some(row) => Err(format!(
                    "row {row} is an empty string, no class: leave such rows out of all files \
                     (array[labels != \"\"])"
                )),
                None => Ok(()),
            },
        }
    }
}

/// The first row of the only negative number, where the others are labels as they are. Several
/// negative numbers are ids, as hashes are, and so is one among numbers beyond u32.
fn mark(numbers: &[i128]) -> Option<usize> {
    let row = numbers.iter().position(|&number| number < 0)?;
    let is_label = |number| number == numbers[row] || u32::try_from(number).is_ok();
    numbers.iter().all(|&number| is_label(number)).then_some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(own: &[i128], others: &[i128]) -> Labels {
        Labels::of(Ids::Numbers(own.into()), Some(Ids::Numbers(others.into()))).unwrap()
    }

    #[test]
    fn labels_that_are_u32_stay_as_they_are() {
        let labels = numbered(&[7, 0, u32::MAX.into()], &[9]);
        assert_eq!(labels.labels, [7, 0, u32::MAX]);
        assert_eq!((labels.reference_labels.unwrap(), labels.note), (vec![9], None));
    }

    #[test]
    fn one_id_beyond_u32_numbers_both_files_together() {
        let labels = numbered(&[1 << 40, 3, 1 << 40], &[3, u64::MAX.into(), 0]);
        assert_eq!(labels.labels, [2, 1, 2]);
        assert_eq!(labels.reference_labels.unwrap(), [1, 3, 0]);
        assert!(labels.note.unwrap().contains("4 classes in ascending order, 0 is 0 and 1844"));
        let only_references = numbered(&[5, 6], &[6, 1 << 32]);
        assert_eq!(only_references.labels, [0, 1]);
        assert_eq!(only_references.reference_labels.unwrap(), [1, 2]);
    }

    #[test]
    fn several_negative_numbers_are_ids_and_a_single_one_is_a_mark() {
        assert_eq!(numbered(&[-5, 3, -9], &[]).labels, [1, 2, 0]);
        assert_eq!(numbered(&[-1, 1 << 40], &[]).labels, [0, 1]);
        for mark in [-1, -100] {
            let labels = Labels::of(Ids::Numbers(vec![4, mark, 4, mark]), None);
            let text = labels.unwrap_err().text;
            assert!(text.starts_with(&format!("row 1 is {mark}, the only negative")), "{text}");
        }
        let references = Ids::Numbers(vec![0, 0, -1]);
        let problem = Labels::of(Ids::Numbers(vec![0, 1]), Some(references)).unwrap_err();
        assert!(problem.is_of_references && problem.text.starts_with("row 2 is -1"));
    }

    #[test]
    fn strings_are_classes_by_their_order_in_both_files() {
        let texts =
            |texts: &[&str]| Ids::Texts(texts.iter().map(|text| text.to_string()).collect());
        let labels = Labels::of(texts(&["owl", "cat"]), Some(texts(&["dog", "owl"]))).unwrap();
        assert_eq!((labels.labels, labels.reference_labels), (vec![2, 0], Some(vec![1, 2])));
        assert_eq!(labels.classes, ["cat", "dog", "owl"]);
        let note = "strings: 3 classes in ascending order, cat is 0 and owl is 2";
        assert_eq!(labels.note.as_deref(), Some(note));
        let one = Labels::of(texts(&["owl", "owl"]), None).unwrap();
        assert_eq!(
            (one.labels, one.note.as_deref()),
            (vec![0, 0], Some("strings: one class, owl is 0"))
        );
        let missing = Labels::of(texts(&["owl", "", "cat"]), None).unwrap_err();
        assert!(missing.text.starts_with("row 1 is an empty string"), "{}", missing.text);
        let mixed = Labels::of(texts(&["1"]), Some(Ids::Numbers(vec![1]))).unwrap_err();
        assert!(mixed.is_of_references);
    }
}
