/// The names of resources, and what Kubernetes says about names that are none.
enum ResourceNames {
    private static let compute: Set<String> = ["cpu", "memory", "ephemeral-storage"]

    private static let counted: Set<String> = [
        "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps",
        "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
    ]

    private static let quota: Set<String> = compute.union(counted).union([
        "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage", "limits.cpu",
        "limits.memory", "limits.ephemeral-storage",
    ])

    static func isHugePage(_ name: String) -> Bool { name.hasPrefix("hugepages-") }

    static func isStandardQuota(_ name: String) -> Bool {
        quota.contains(name) || isHugePage(name) || name.hasPrefix("requests.hugepages-")
    }

    /// A resource of the vendor's own, such as `example.com/gpu`: used in whole units, and never overcommitted.
    static func isExtended(_ name: String) -> Bool {
        guard name.contains("/"), !isNative(name), !name.hasPrefix("requests.") else { return false }
        return NameSyntax.qualifiedName("requests.\(name)").isEmpty
    }

    static func isNative(_ name: String) -> Bool { !name.contains("/") || name.contains("kubernetes.io/") }

    static func isInteger(_ name: String) -> Bool { counted.contains(name) || isExtended(name) }

    static func mayOvercommit(_ name: String) -> Bool { isNative(name) && !isHugePage(name) }

    /// A name of any resource.
    static func check(_ name: String, at path: FieldPath, into errors: inout [FieldError]) {
        let complaints = NameSyntax.qualifiedName(name)
        for complaint in complaints { errors.append(.invalid(path, .string(name), complaint)) }
        guard complaints.isEmpty, !name.contains("/"), !isStandardQuota(name), name != "storage" else { return }
        errors.append(.invalid(path, .string(name), "must be a standard resource type or fully qualified"))
    }

    /// A name of a resource that containers use.
    static func checkContainer(_ name: String, at path: FieldPath, into errors: inout [FieldError]) {
        check(name, at: path, into: &errors)
        if !name.contains("/") {
            if compute.contains(name) || isHugePage(name) { return }
            errors.append(.invalid(path, .string(name), "must be a standard resource for containers"))
        } else if !isNative(name), !isExtended(name) {
            errors.append(.invalid(path, .string(name), "doesn't follow extended resource name standard"))
        }
    }

    /// A name of a resource that a quota limits.
    static func checkQuota(_ name: String, at path: FieldPath, into errors: inout [FieldError]) {
        check(name, at: path, into: &errors)
        if !name.contains("/"), !isStandardQuota(name) {
            errors.append(.invalid(path, .string(name), "must be a standard resource for quota"))
        }
    }

    /// An amount: not negative, and whole where only whole ones exist.
    static func checkAmount(_ name: String, _ amount: JSONValue, at path: FieldPath, into errors: inout [FieldError]) {
        guard let quantity = Quantity(amount) else { return }
        let shown = JSONValue.string(quantity.description)
        if quantity.milliValue < 0 { errors.append(.invalid(path, shown, "must be greater than or equal to 0")) }
        if isInteger(name), quantity.milliValue % 1000 != 0 {
            errors.append(.invalid(path, shown, "must be an integer"))
        }
    }
}
