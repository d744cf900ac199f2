//! Names on the command line and in objectives: in any case, and with a guess where there is no
//! such one.

/// A name without what people write differently: case, underscores, hyphens and blanks.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' '));
    letters.flat_map(char::to_lowercase).collect()
}

/// The one of the names that is meant, or what to say where none is.
pub fn find<'a>(
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Result<&'a str, String> {
    let known: Vec<_> = known.into_iter().collect();
    if let Some(found) = known.iter().find(|one| plain(one) == plain(name)) {
        return Ok(found);
    }
    let guess = nearest(name, &known).map(|name| format!(", did you mean {name}?"));
    let guess = guess.unwrap_or_default();
    Err(format!("{name:?} is no {what}{guess} (there are: {})", known.join(", ")))
}

/// The name that is a few letters away: a third of them at most.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |one: &str| strsim::damerau_levenshtein(&plain(one), &plain(name));
    let nearest = known.iter().copied().min_by_key(|one| distance(one))?;
    (3 * distance(nearest) <= nearest.len().max(3)).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        let names = ["NtXent", "MultiMargin", "pair rows"];
        for name in ["NtXent", "ntxent", "NT_XENT", "nt-xent"] {
            assert_eq!(find("loss", name, names), Ok("NtXent"));
        }
        assert_eq!(find("loss", "multi_margin", names), Ok("MultiMargin"));
        assert_eq!(find("mode", "PAIR-ROWS", names), Ok("pair rows"));
    }

    #[test]
    fn what_is_a_few_letters_away_is_guessed() {
        let names = ["Contrastive", "Triplet", "L1"];
        let told = |name| find("loss", name, names).unwrap_err();
        let all = "(there are: Contrastive, Triplet, L1)";
        assert_eq!(told("tripled"), format!("\"tripled\" is no loss, did you mean Triplet? {all}"));
        assert_eq!(
            told("Contrstaive"),
            format!("\"Contrstaive\" is no loss, did you mean Contrastive? {all}")
        );
        assert_eq!(told("Quadruplet"), format!("\"Quadruplet\" is no loss {all}"));
    }
}
