/// Placeholder.
enum ScreenKitPlaceholder {}
