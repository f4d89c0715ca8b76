/// Placeholder.
enum ClusterNetworkPlaceholder {}
