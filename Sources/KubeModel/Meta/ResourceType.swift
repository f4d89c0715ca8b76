/// The identity of a kind of object: where it lives in the API and what it is called.
public struct ResourceType: Sendable, Hashable {
    /// The API group; empty for the core group.
    public let group: String
    public let version: String
    public let kind: String
    /// The plural name used in URLs, for example `deployments`.
    public let plural: String
    public let isNamespaced: Bool

    public init(group: String, version: String, kind: String, plural: String, isNamespaced: Bool = true) {
        self.group = group
        self.version = version
        self.kind = kind
        self.plural = plural
        self.isNamespaced = isNamespaced
    }

    /// `v1` for the core group, otherwise `apps/v1`.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// `deployments.apps`, or `pods` in the core group, as error messages name it.
    public var qualifiedPlural: String { group.isEmpty ? plural : "\(plural).\(group)" }

    /// The URL path of the collection, or of one object in it.
    public func path(namespace: String? = nil, name: String? = nil, subresource: String? = nil) -> String {
        var path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        if isNamespaced, let namespace { path += "/namespaces/\(namespace)" }
        path += "/\(plural)"
        if let name { path += "/\(name)" }
        if let subresource { path += "/\(subresource)" }
        return path
    }
}

extension ResourceType {
    private static func core(_ kind: String, _ plural: String, isNamespaced: Bool = true) -> ResourceType {
        ResourceType(group: "", version: "v1", kind: kind, plural: plural, isNamespaced: isNamespaced)
    }

    private static func v1(_ group: String, _ kind: String, _ plural: String, isNamespaced: Bool = true) -> ResourceType
    {
        ResourceType(group: group, version: "v1", kind: kind, plural: plural, isNamespaced: isNamespaced)
    }

    // MARK: core

    public static let configMaps = core("ConfigMap", "configmaps")
    public static let endpoints = core("Endpoints", "endpoints")
    public static let events = core("Event", "events")
    public static let limitRanges = core("LimitRange", "limitranges")
    public static let namespaces = core("Namespace", "namespaces", isNamespaced: false)
    public static let nodes = core("Node", "nodes", isNamespaced: false)
    public static let persistentVolumeClaims = core("PersistentVolumeClaim", "persistentvolumeclaims")
    public static let persistentVolumes = core("PersistentVolume", "persistentvolumes", isNamespaced: false)
    public static let pods = core("Pod", "pods")
    public static let podTemplates = core("PodTemplate", "podtemplates")
    public static let replicationControllers = core("ReplicationController", "replicationcontrollers")
    public static let resourceQuotas = core("ResourceQuota", "resourcequotas")
    public static let secrets = core("Secret", "secrets")
    public static let serviceAccounts = core("ServiceAccount", "serviceaccounts")
    public static let services = core("Service", "services")

    // MARK: apps, batch, autoscaling, policy, scheduling

    public static let controllerRevisions = v1("apps", "ControllerRevision", "controllerrevisions")
    public static let daemonSets = v1("apps", "DaemonSet", "daemonsets")
    public static let deployments = v1("apps", "Deployment", "deployments")
    public static let replicaSets = v1("apps", "ReplicaSet", "replicasets")
    public static let statefulSets = v1("apps", "StatefulSet", "statefulsets")
    public static let cronJobs = v1("batch", "CronJob", "cronjobs")
    public static let jobs = v1("batch", "Job", "jobs")
    public static let horizontalPodAutoscalers = ResourceType(
        group: "autoscaling", version: "v2", kind: "HorizontalPodAutoscaler", plural: "horizontalpodautoscalers")
    public static let podDisruptionBudgets = v1("policy", "PodDisruptionBudget", "poddisruptionbudgets")
    public static let priorityClasses = v1(
        "scheduling.k8s.io", "PriorityClass", "priorityclasses", isNamespaced: false)

    // MARK: networks, storage, coordination

    public static let endpointSlices = v1("discovery.k8s.io", "EndpointSlice", "endpointslices")
    public static let ingressClasses = v1("networking.k8s.io", "IngressClass", "ingressclasses", isNamespaced: false)
    public static let ingresses = v1("networking.k8s.io", "Ingress", "ingresses")
    public static let networkPolicies = v1("networking.k8s.io", "NetworkPolicy", "networkpolicies")
    public static let leases = v1("coordination.k8s.io", "Lease", "leases")
    public static let storageClasses = v1("storage.k8s.io", "StorageClass", "storageclasses", isNamespaced: false)

    // MARK: rights, extensions

    public static let clusterRoleBindings = v1(
        "rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings", isNamespaced: false)
    public static let clusterRoles = v1(
        "rbac.authorization.k8s.io", "ClusterRole", "clusterroles", isNamespaced: false)
    public static let roleBindings = v1("rbac.authorization.k8s.io", "RoleBinding", "rolebindings")
    public static let roles = v1("rbac.authorization.k8s.io", "Role", "roles")
    public static let customResourceDefinitions = v1(
        "apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", isNamespaced: false)
}
