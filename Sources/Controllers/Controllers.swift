/// Placeholder.
enum ControllersPlaceholder {}
