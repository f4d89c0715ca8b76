import Cluster
try await ClusterServer.serve(VelocityHome(path: "/tmp/vt/home").cluster("velocitylab"), settings: ClusterSettings(pace: .instant))
