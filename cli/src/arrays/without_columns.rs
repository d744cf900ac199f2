//! In the place of Parquet files, where the program is built without its feature `parquet`.

use super::write::Written;

const MISSING: &str = "Parquet takes a program that is built with the feature parquet, as it usually is; \
    pandas.read_parquet(\"this\").to_csv(\"one.csv\", index=False) makes a table of it";

pub(super) fn read(_: Vec<u8>, _: Option<&str>) -> Result<Vec<u8>, String> {
    Err(MISSING.into())
}

pub(super) fn write(_: &[Written]) -> Result<Vec<u8>, String> {
    Err(MISSING.into())
}
