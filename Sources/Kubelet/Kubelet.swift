/// Placeholder.
enum KubeletPlaceholder {}
