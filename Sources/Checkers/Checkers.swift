/// Placeholder.
enum CheckersPlaceholder {}
