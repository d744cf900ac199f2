//! A picture as SVG, readable in light and in dark.

use std::fmt::Write;

/// The colours of every picture. A picture brings its own background, so that it can be read on any
/// page, and follows the system from light to dark.
const STYLE: &str = "
svg { font-family: system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; font-size: 13px }
text { fill: #1f2328 } .small { font-size: 11px } .strong { font-weight: 600 } .faint { fill: #59636e }
.mono { font-family: ui-monospace, 'DejaVu Sans Mono', monospace; font-size: 12px }
.end { text-anchor: end } .middle { text-anchor: middle }
.card { fill: #ffffff; stroke: #d1d9e0 } .line { stroke: #59636e; fill: none } .grid { stroke: #e4e8ec; fill: none }
.box { fill: #f6f8fa; stroke: #818b98 } .arrow { stroke: #59636e; fill: none; stroke-width: 1.5 } .tip { fill: #59636e }
.curve { fill: none; stroke-width: 2.5; stroke-linejoin: round }
.a { stroke: #0969da } .b { stroke: #bc4c00; stroke-dasharray: 9 4 } .c { stroke: #1a7f37; stroke-dasharray: 2 4 } .d { stroke: #8250df; stroke-dasharray: 10 3 2 3 }
.fill-a { fill: #b6d9ff; stroke: #0969da } .fill-b { fill: #ffd3ae; stroke: #bc4c00 } .fill-c { fill: #b9ecc4; stroke: #1a7f37 } .empty { fill: #ffffff; stroke: #818b98 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .faint { fill: #9198a1 } .card { fill: #151b23; stroke: #3d444d } .line { stroke: #9198a1 } .grid { stroke: #2a313c }
.box { fill: #212830; stroke: #656c76 } .arrow { stroke: #9198a1 } .tip { fill: #9198a1 }
.a { stroke: #58a6ff } .b { stroke: #f0883e } .c { stroke: #3fb950 } .d { stroke: #bc8cff }
.fill-a { fill: #123d6e; stroke: #58a6ff } .fill-b { fill: #5e2f0b; stroke: #f0883e } .fill-c { fill: #114a22; stroke: #3fb950 } .empty { fill: #151b23; stroke: #656c76 }
}
";

/// A picture that is being drawn. Classes are those of [`STYLE`].
pub(super) struct Svg {
    width: f64,
    height: f64,
    title: String,
    body: String,
}

impl Svg {
    /// An empty picture, whose `title` is what a screen reader says.
    pub(super) fn new(width: f64, height: f64, title: &str) -> Self {
        Self { width, height, title: escaped(title), body: String::new() }
    }

    pub(super) fn text(&mut self, [x, y]: [f64; 2], class: &str, text: &str) {
        let text = escaped(text);
        self.add(format_args!("<text x='{x:.1}' y='{y:.1}' class='{class}'>{text}</text>"));
    }

    pub(super) fn rectangle(&mut self, [x, y]: [f64; 2], [w, h]: [f64; 2], class: &str) {
        self.add(format_args!(
            "<rect x='{x:.1}' y='{y:.1}' width='{w:.1}' height='{h:.1}' rx='3' class='{class}'/>"
        ));
    }

    pub(super) fn circle(&mut self, [x, y]: [f64; 2], radius: f64, class: &str) {
        self.add(format_args!("<circle cx='{x:.1}' cy='{y:.1}' r='{radius:.1}' class='{class}'/>"));
    }

    pub(super) fn line(&mut self, points: &[[f64; 2]], class: &str) {
        let points: Vec<_> = points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
        self.add(format_args!("<polyline points='{}' class='{class}'/>", points.join(" ")));
    }

    /// A line with a tip at its end.
    pub(super) fn arrow(&mut self, points: &[[f64; 2]]) {
        self.line(points, "arrow");
        if let [.., [from_x, from_y], [x, y]] = *points {
            let length = (x - from_x).hypot(y - from_y);
            let [along_x, along_y] = [(x - from_x) / length * 8.0, (y - from_y) / length * 8.0];
            let [back_x, back_y] = [x - along_x, y - along_y];
            let [side_x, side_y] = [along_y / 2.0, -along_x / 2.0];
            self.add(format_args!(
                "<polygon points='{x:.1},{y:.1} {:.1},{:.1} {:.1},{:.1}' class='tip'/>",
                back_x + side_x,
                back_y + side_y,
                back_x - side_x,
                back_y - side_y
            ));
        }
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.body, "{element}").expect("a String takes all");
    }

    pub(super) fn finish(self) -> String {
        let Self { width, height, title, body } = self;
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' role='img' aria-label='{title}'>\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n\
             <rect x='0.5' y='0.5' width='{}' height='{}' rx='8' class='card'/>\n{body}</svg>\n",
            width - 1.0,
            height - 1.0
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;")
}
