/// Placeholder.
enum TerminalScreenPlaceholder {}
