//! GPUs by what their vendors publish of them: nothing in here is measured.

use crate::names;

/// What a prediction knows of a GPU.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hardware {
    pub name: String,
    /// Compute units: AMD's name for what NVIDIA calls a streaming multiprocessor and Intel an
    /// Xe-core. A workgroup runs on one of them.
    pub units: u32,
    /// Multiply-adds of f32 that a unit starts each clock.
    pub lanes: u32,
    /// Clock in GHz, the published boost.
    pub ghz: f64,
    /// Bandwidth of the memory in GB/s.
    pub gbps: f64,
    /// Where the figures are from.
    pub source: String,
}

/// Name, units, lanes, GHz, GB/s and who says so.
type Row = (&'static str, u32, u32, f64, f64, &'static str);

const PUBLISHED: [Row; 8] = [
    ("RX Vega 64", 64, 64, 1.546, 483.8, "AMD, product page of the Radeon RX Vega 64"),
    ("RX 6900 XT", 80, 64, 2.25, 512.0, "AMD, product page of the Radeon RX 6900 XT"),
    // Two operations an instruction, which AMD's own FLOP/s count, are not counted on.
    ("RX 7900 XTX", 96, 64, 2.5, 960.0, "AMD, product page of the Radeon RX 7900 XTX"),
    ("RTX 3060", 28, 128, 1.78, 360.0, "NVIDIA, product page of the GeForce RTX 3060 (12 GB)"),
    ("RTX 4090", 128, 128, 2.52, 1008.0, "NVIDIA, white paper of the Ada GPU architecture"),
    ("H100 SXM", 132, 128, 1.98, 3350.0, "NVIDIA, data sheet and white paper of the H100"),
    ("H200 SXM", 132, 128, 1.98, 4800.0, "NVIDIA, data sheet of the H200"),
    ("Arc A770", 32, 128, 2.1, 560.0, "Intel, product page of the Arc A770 (16 GB)"),
];

const EXAMPLE: &str = "units=60,lanes=64,ghz=2.2,gbps=448";

impl Hardware {
    /// The one of the table with this name, or any that is written as `EXAMPLE` is.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.contains('=') {
            return Self::described(text);
        }
        let all = PUBLISHED.iter().map(|row| row.0);
        let found = names::find("GPU of the table", text, all)
            .map_err(|problem| format!("{problem}; any other is written as {EXAMPLE}"))?;
        let row = PUBLISHED.iter().find(|row| row.0 == found).ok_or_else(|| found.to_owned())?;
        let (name, units, lanes, ghz, gbps, source) = *row;
        Ok(Self { name: name.into(), units, lanes, ghz, gbps, source: source.into() })
    }

    fn described(text: &str) -> Result<Self, String> {
        let mut values = [None; 4];
        const KEYS: [&str; 4] = ["units", "lanes", "ghz", "gbps"];
        for pair in text.split(',') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let key = names::find("figure of a GPU", key.trim(), KEYS)?;
            let of = |known: &&str| *known == key;
            let slot = KEYS.iter().position(of).map(|at| &mut values[at]).ok_or(key)?;
            let number = value.trim().parse::<f64>().ok();
            let number = number.filter(|number| number.is_finite() && *number > 0.0);
            let number = number.ok_or_else(|| format!("{key}: {value:?} is no number above 0"))?;
            if slot.replace(number).is_some() {
                return Err(format!("{key} is given twice"));
            }
        }
        let figure = |at: usize| {
            values[at].ok_or_else(|| format!("{} is missing, as in {EXAMPLE}", KEYS[at]))
        };
        let count = |at: usize| {
            let number = figure(at)?;
            let is_count = number.fract() == 0.0 && number <= 65_536.0;
            match is_count {
                true => Ok(number as u32),
                false => Err(format!("{}: {number} is no whole number up to 65536", KEYS[at])),
            }
        };
        Ok(Self {
            name: text.into(),
            units: count(0)?,
            lanes: count(1)?,
            ghz: figure(2)?,
            gbps: figure(3)?,
            source: "as given".into(),
        })
    }

    /// Vector operations of all units, lane by lane: a multiply-add is one.
    pub(crate) fn lane_operations_per_second(&self) -> f64 {
        f64::from(self.units) * self.operations_of_a_unit()
    }

    pub(crate) fn operations_of_a_unit(&self) -> f64 {
        f64::from(self.lanes) * self.ghz * 1e9
    }

    pub(crate) fn bytes_per_second(&self) -> f64 {
        self.gbps * 1e9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_others_described() {
        let named = Hardware::parse("rx-6900-xt").unwrap();
        assert_eq!((named.units, named.lanes), (80, 64));
        assert_eq!(named.lane_operations_per_second(), 11.52e12);
        let described = Hardware::parse("gbps=448, units=60,lanes=64,ghz=2.2").unwrap();
        assert_eq!((described.units, described.gbps), (60, 448.0));
        assert_eq!(described.bytes_per_second(), 448e9);
    }

    #[test]
    fn what_is_no_gpu_is_told() {
        let told = |text: &str| Hardware::parse(text).unwrap_err();
        assert!(told("RX 6900").contains("did you mean RX 6900 XT?"), "{}", told("RX 6900"));
        assert!(told("Voodoo").ends_with(EXAMPLE));
        assert_eq!(told("units=60"), format!("lanes is missing, as in {EXAMPLE}"));
        assert_eq!(told("units=60,units=61"), "units is given twice");
        assert_eq!(told("units=0"), "units: \"0\" is no number above 0");
        let rest = "lanes=64,ghz=2,gbps=100";
        let whole = told(&format!("units=6.5,{rest}"));
        assert_eq!(whole, "units: 6.5 is no whole number up to 65536");
        assert!(told("unit=6").contains("did you mean units?"));
    }
}
