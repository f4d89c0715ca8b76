/// Placeholder.
enum LabScreensPlaceholder {}
