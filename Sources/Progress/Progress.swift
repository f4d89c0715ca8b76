/// Placeholder.
enum ProgressPlaceholder {}
