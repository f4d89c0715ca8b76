/// Placeholder.
enum ObjectStorePlaceholder {}
