/// Placeholder.
enum CoursePlaceholder {}
