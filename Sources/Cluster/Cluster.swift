/// Placeholder.
enum ClusterPlaceholder {}
