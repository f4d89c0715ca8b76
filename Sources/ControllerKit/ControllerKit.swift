/// Placeholder.
enum ControllerKitPlaceholder {}
