//! The words on a drawing.

use crate::PALETTE;

const MARGIN: f32 = 12.0;
/// What title and legend take of the height.
const HEADER: f32 = 56.0;
const FOOTER: f32 = 36.0;
const DOT_RADIUS: f32 = 5.0;
const ENTRY_SPACING: f32 = 14.0;

/// What they leave free of an area.
pub(crate) fn free(area: egui::Rect) -> egui::Rect {
    let (left, right) = (area.left() + MARGIN, area.right() - MARGIN);
    let (top, bottom) = (area.top() + HEADER, area.bottom() - FOOTER);
    egui::Rect::from_x_y_ranges(left..=right.max(left), top..=bottom.max(top))
}

/// A title with a line below it, and a legend: a name for each of the first colours of the palette.
pub fn caption(ui: &mut egui::Ui, title: &str, subtitle: &str, legend: &[String]) {
    let area = ui.max_rect().shrink(MARGIN);
    ui.scope_builder(egui::UiBuilder::new().max_rect(area), |ui| {
        ui.heading(title);
        ui.label(egui::RichText::new(subtitle).weak());
        ui.with_layout(egui::Layout::left_to_right(egui::Align::Max), |ui| {
            for (name, color) in legend.iter().zip(PALETTE) {
                entry(ui, name, color);
            }
        });
    });
}

fn entry(ui: &mut egui::Ui, name: &str, [red, green, blue]: [u8; 3]) {
    let height = ui.text_style_height(&egui::TextStyle::Body);
    let (dot, _) =
        ui.allocate_exact_size(egui::vec2(2.0 * DOT_RADIUS, height), egui::Sense::hover());
    ui.painter().circle_filled(dot.center(), DOT_RADIUS, egui::Color32::from_rgb(red, green, blue));
    ui.label(name);
    ui.add_space(ENTRY_SPACING);
}
