//! What arrays hold beside matrices and labels: columns, indices, or whatever it is.

use npyz::{Order, TypeChar};

use super::npy::{Array, Numbers, Place, filled};

/// All values of an array, in C order.
#[derive(Debug, PartialEq)]
pub enum Values {
    Floats(Vec<f32>),
    Integers(Vec<i128>),
    Texts(Vec<String>),
}

/// Of an array of one column.
const ROW: Place = Place { columns: None };

impl Array<'_> {
    /// The columns of a matrix.
    pub fn columns(&self) -> Result<usize, String> {
        self.check_matrix().map(|()| self.columns)
    }

    /// Whether the values are what is computed with: f32 of little-endian processors, row by row.
    pub fn is_f32_by_rows(&self) -> bool {
        let is_by_rows = self.header.order() == Order::C || self.columns == 1;
        is_by_rows && self.element.to_string() == "<f4"
    }

    /// Reads a column of numbers.
    pub fn vector(self) -> Result<Numbers<Vec<f32>>, String> {
        self.check_vector()?;
        self.numbers(ROW)
    }

    /// Reads a column of numbers, or all those of a matrix row by row.
    pub fn column_or_matrix(self) -> Result<Numbers<Vec<f32>>, String> {
        if self.check_vector().is_ok() {
            return self.vector();
        }
        let Numbers { numbers, note } = self.matrix()?;
        Ok(Numbers { numbers: numbers.values, note })
    }

    /// Reads a matrix of row indices with K columns.
    pub fn entries<const K: usize>(self) -> Result<Vec<[u32; K]>, String> {
        self.check_matrix()?;
        if self.columns != K {
            return Err(format!("expected {K} columns, found {}", self.columns));
        }
        let mut entries = filled(self.rows, [0; K])?;
        let place = Place { columns: Some(K) };
        self.each_integer(|at, value| {
            entries[at / K][at % K] = whole(value).map_err(|problem| place.name(at, problem))?;
            Ok(())
        })?;
        Ok(entries)
    }

    /// Reads a column of counts, flags or indices.
    pub fn integers(self) -> Result<Vec<u32>, String> {
        self.check_vector()?;
        let mut values = filled(self.rows, 0)?;
        self.each_integer(|at, value| {
            values[at] = whole(value).map_err(|problem| ROW.name(at, problem))?;
            Ok(())
        })?;
        Ok(values)
    }

    /// Its type and its shape.
    pub fn describe(&self) -> String {
        let sizes: Vec<_> = self.header.shape().iter().map(u64::to_string).collect();
        format!("{}, {}", self.type_name(), sizes.join(" x "))
    }

    /// Its shape, as its file has it.
    pub fn shape(&self) -> Vec<usize> {
        self.header.shape().iter().map(|&size| size as usize).collect()
    }

    /// Reads whatever it holds.
    pub fn values(self) -> Result<Numbers<Values>, String> {
        let of = |numbers| Numbers { numbers, note: None };
        match self.element.type_char() {
            TypeChar::UnicodeStr | TypeChar::ByteStr => self.texts().map(Values::Texts).map(of),
            TypeChar::Bool | TypeChar::Int | TypeChar::Uint => {
                self.whole_numbers().map(Values::Integers).map(of)
            }
            _ => {
                let place = Place { columns: Some(self.columns) };
                let Numbers { numbers, note } = self.numbers(place)?;
                Ok(Numbers { numbers: Values::Floats(numbers), note })
            }
        }
    }
}

fn whole(value: i128) -> Result<u32, String> {
    let limit = u32::MAX;
    value.try_into().map_err(|_| format!("is {value}: expected a whole number from 0 to {limit}"))
}
