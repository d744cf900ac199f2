//! Curves over an axis.

use super::svg::Svg;

const WIDTH: f64 = 420.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 20.0;
const LEGEND_LINE: f64 = 19.0;
const PLOT_HEIGHT: f64 = 170.0;
const STEPS: u32 = 120;
const CLASSES: [&str; 4] = ["a", "b", "c", "d"];

/// A chart whose curves are computed as it is drawn.
pub(super) struct Chart<'a> {
    pub title: &'a str,
    pub x_title: &'a str,
    pub x: [f64; 2],
    pub y: [f64; 2],
    /// Between two lines of the grid, along x and along y.
    pub grid: [f64; 2],
    /// Up to four curves, each with what the legend calls it.
    pub curves: Vec<(&'a str, Curve<'a>)>,
}

/// A value for every x.
pub(super) type Curve<'a> = Box<dyn Fn(f64) -> f64 + 'a>;

impl Chart<'_> {
    pub(super) fn draw(&self) -> String {
        let top = 36.0 + LEGEND_LINE * self.curves.len() as f64;
        let bottom = top + PLOT_HEIGHT;
        let mut svg = Svg::new(WIDTH, bottom + 48.0, self.title);
        svg.text([16.0, 25.0], "strong", self.title);
        for (at, (name, _)) in self.curves.iter().enumerate() {
            let y = 45.0 + LEGEND_LINE * at as f64;
            svg.line(&[[LEFT, y - 4.0], [LEFT + 36.0, y - 4.0]], &curve_class(at));
            svg.text([LEFT + 46.0, y], "", name);
        }
        let place = |x: f64, y: f64| {
            let [across, up] = [share(x, self.x), share(y, self.y)];
            [LEFT + across * (WIDTH - LEFT - RIGHT), bottom - up * PLOT_HEIGHT]
        };
        for x in grid_lines(self.x, self.grid[0]) {
            let [at, _] = place(x, 0.0);
            svg.line(&[[at, top], [at, bottom]], "grid");
            svg.text([at, bottom + 16.0], "small faint middle", &number(x));
        }
        for y in grid_lines(self.y, self.grid[1]) {
            let [_, at] = place(0.0, y);
            svg.line(&[[LEFT, at], [WIDTH - RIGHT, at]], "grid");
            svg.text([LEFT - 8.0, at + 4.0], "small faint end", &number(y));
        }
        svg.line(&[[LEFT, top], [LEFT, bottom], [WIDTH - RIGHT, bottom]], "line");
        svg.text([(LEFT + WIDTH - RIGHT) / 2.0, bottom + 37.0], "middle", self.x_title);
        for (at, (_, curve)) in self.curves.iter().enumerate() {
            let samples = (0..=STEPS).map(|step| {
                let x = self.x[0] + (self.x[1] - self.x[0]) * f64::from(step) / f64::from(STEPS);
                (x, curve(x))
            });
            let inside = samples.filter(|&(_, y)| y <= self.y[1] && y >= self.y[0]);
            let points: Vec<_> = inside.map(|(x, y)| place(x, y)).collect();
            svg.line(&points, &curve_class(at));
        }
        svg.finish()
    }
}

fn curve_class(at: usize) -> String {
    format!("curve {}", CLASSES[at])
}

fn share(value: f64, [from, to]: [f64; 2]) -> f64 {
    (value - from) / (to - from)
}

fn grid_lines([from, to]: [f64; 2], step: f64) -> impl Iterator<Item = f64> {
    let count = ((to - from) / step).round() as u32;
    (0..=count).map(move |line| from + f64::from(line) * step)
}

fn number(value: f64) -> String {
    format!("{}", (value * 100.0).round() / 100.0).replace('-', "\u{2212}")
}
