//! Enums without fields: the lists of their variants, and the names that these go by.

/// Gives an enum `ALL`, `name`, `Display` and `FromStr`; a variant has its own name where no other
/// one stands behind it. A variant that is left out does not compile.
macro_rules! named {
    ($(#[$list:meta])* $type:ident, $what:literal: $($variant:ident),+ $(,)?) => {
        $crate::names::named! {
            $(#[$list])* $type, $what: $($variant stringify!($variant)),+
        }
    };
    ($(#[$list:meta])* $type:ident, $what:literal: $($variant:ident $name:expr),+ $(,)?) => {
        $crate::names::every!($(#[$list])* pub $type: $($variant),+);

        impl $type {
            /// The name that it is displayed by, and that it is parsed from in any case.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::error::Error;

            fn from_str(name: &str) -> $crate::error::Result<Self> {
                let found = Self::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(name));
                found.ok_or_else(|| $crate::error::Error::Name {
                    what: $what,
                    name: name.into(),
                    known: &[$($name),+],
                })
            }
        }
    };
}
pub(crate) use named;

/// Gives an enum `ALL`. A variant that is left out does not compile.
macro_rules! every {
    ($(#[$list:meta])* $visible:vis $type:ident: $($variant:ident),+ $(,)?) => {
        impl $type {
            $(#[$list])*
            $visible const ALL: [Self; [$(stringify!($variant)),+].len()] = [$(Self::$variant),+];
        }

        const _: fn($type) = |one| match one {
            $($type::$variant)|+ => (),
        };
    };
}
pub(crate) use every;

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};
    use std::str::FromStr;

    use crate::error::Error;
    use crate::profile::Stage;
    use crate::tuning::{RowWidth, Tier, Tile};
    use crate::{Distance, Form, Mining, Mode, Reduction, Sampling};

    fn are_parsed<T: FromStr<Err = Error> + Display + Debug + PartialEq>(all: &[T]) {
        for one in all {
            let name = one.to_string();
            for name in [name.to_uppercase(), name.to_lowercase(), name] {
                assert_eq!(&name.parse::<T>().unwrap(), one);
            }
        }
    }

    #[test]
    fn names_are_parsed_in_any_case() {
        are_parsed(&Distance::ALL);
        are_parsed(&Mining::ALL);
        are_parsed(&Reduction::ALL);
        are_parsed(&Sampling::ALL);
        are_parsed(&Form::ALL);
        are_parsed(&Mode::ALL);
        are_parsed(&Stage::ALL);
        are_parsed(&Tier::ALL);
        are_parsed(&Tile::ALL);
        are_parsed(&RowWidth::ALL);
    }

    #[test]
    fn choices_have_the_names_of_their_serde_form() {
        fn check(all: &[impl Display + serde::Serialize]) {
            let form = |one| serde_json::to_value(one).unwrap();
            all.iter().for_each(|one| assert_eq!(form(one), one.to_string()));
        }
        check(&Distance::ALL);
        check(&Mining::ALL);
        check(&Reduction::ALL);
        check(&Sampling::ALL);
        check(&Form::ALL);
    }

    #[test]
    fn an_unknown_name_is_told_with_those_that_there_are() {
        let error = "huge".parse::<Tile>().unwrap_err();
        assert_eq!(error.to_string(), "\"huge\" is no tile: there are small, wide and large");
    }
}
