/// Placeholder.
enum APIServerPlaceholder {}
