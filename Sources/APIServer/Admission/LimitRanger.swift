import KubeModel
import ObjectStore

/// What one pod, container or claim of a namespace may and must ask for (`Limit Ranges`).
enum LimitRanger {
    private static func limits(_ facts: AdmissionFacts, _ namespace: String?) -> [JSONValue] {
        guard let namespace else { return [] }
        return facts.objects(.limitRanges, in: namespace).flatMap { $0.object.value[["spec", "limits"]]?.array ?? [] }
    }

    // MARK: Defaults

    /// Gives containers that do not say what they need what the namespace gives by default.
    static func applyDefaults(_ pod: inout KubeObject, _ facts: AdmissionFacts) {
        var remarks: [String] = []
        for range in facts.objects(.limitRanges, in: pod.namespace ?? "") {
            let limits = range.object.value[["spec", "limits"]]?.array ?? []
            for limit in limits where limit["type"] == "Container" {
                for list in ["containers", "initContainers"] {
                    guard var containers = pod.value[["spec", list]]?.array else { continue }
                    for index in containers.indices { remarks += complete(&containers[index], limit) }
                    pod.value[["spec", list]] = .array(containers)
                }
            }
        }
        guard !remarks.isEmpty else { return }
        pod.value[["metadata", "annotations", "kubernetes.io/limit-ranger"]] = .string(
            "LimitRanger plugin set: \(remarks.joined(separator: "; "))")
    }

    private static func complete(_ container: inout JSONValue, _ limit: JSONValue) -> [String] {
        let name = container["name"]?.string ?? ""
        var remarks: [String] = []
        for (member, defaults, word) in [
            ("requests", "defaultRequest", "request"), ("limits", "default", "limit"),
        ] {
            var set: [String] = []
            for (resource, amount) in limit[defaults]?.object ?? [:]
            where container[["resources", member, resource]] == nil {
                container[["resources", member, resource]] = amount
                set.append(resource)
            }
            if !set.isEmpty { remarks.append("\(set.sorted().joined(separator: ", ")) \(word) for container \(name)") }
        }
        return remarks
    }

    // MARK: Bounds

    static func check(_ object: KubeObject, _ request: AdmissionRequest, _ facts: AdmissionFacts) throws(Status) {
        // The resources of a pod do not change any more; a claim can grow.
        guard request.subresource == nil, request.operation == .create || request.resource != .pods else { return }
        let limits = limits(facts, object.namespace)
        guard !limits.isEmpty else { return }
        var complaints: [String] = []
        for limit in limits {
            let type = limit["type"]?.string ?? ""
            switch (type, request.resource) {
            case ("PersistentVolumeClaim", .persistentVolumeClaims):
                complaints += Bounds(limit, type).claimComplaints(object)
            case ("Container", .pods):
                for container in Pod(object).containers {
                    complaints += Bounds(limit, type).complaints(container.requests, container.limits)
                }
            case ("Pod", .pods):
                let pod = Pod(object)
                complaints += Bounds(limit, type).complaints(
                    total(pod) { $0.requests }, total(pod) { $0.limits })
            default: continue
            }
        }
        guard !complaints.isEmpty else { return }
        throw request.forbidden(
            object, complaints.count == 1 ? complaints[0] : "[\(complaints.joined(separator: ", "))]")
    }

    /// What all containers have together, or the largest init container where that is more.
    ///
    /// An amount that not every container names is not known of the pod.
    private static func total(
        _ pod: Pod, _ amounts: (Container) -> [String: Quantity]
    ) -> [String: Quantity] {
        var total: [String: Quantity] = [:]
        let containers = pod.containers.map(amounts)
        for resource in Set(containers.flatMap(\.keys)) {
            let named = containers.compactMap { $0[resource] }
            if named.count == containers.count { total[resource] = named.reduce(Quantity(0), +) }
        }
        for container in pod.initContainers.map(amounts) {
            for (resource, amount) in container { total[resource] = max(total[resource] ?? amount, amount) }
        }
        return total
    }

    /// One entry of a LimitRange.
    private struct Bounds {
        let limit: JSONValue
        let type: String

        init(_ limit: JSONValue, _ type: String) {
            self.limit = limit
            self.type = type
        }

        private func amounts(_ member: String) -> [(String, Quantity)] {
            (limit[member]?.object ?? [:]).compactMap { name, value in
                Quantity(parsing: value.string ?? value.text).map { (name, $0) }
            }.sorted { $0.0 < $1.0 }
        }

        func complaints(_ requests: [String: Quantity], _ limits: [String: Quantity]) -> [String] {
            var complaints: [String] = []
            for (name, bound) in amounts("min") {
                let start = "minimum \(name) usage per \(type) is \(bound)"
                if let request = requests[name] {
                    if request < bound {
                        complaints.append("\(start), but request is \(request)")
                    } else if let limit = limits[name], limit < bound {
                        complaints.append("\(start), but limit is \(limit)")
                    }
                } else {
                    complaints.append("\(start).  No request is specified")
                }
            }
            for (name, bound) in amounts("max") {
                let start = "maximum \(name) usage per \(type) is \(bound)"
                if let limit = limits[name] {
                    if limit > bound {
                        complaints.append("\(start), but limit is \(limit)")
                    } else if let request = requests[name], request > bound {
                        complaints.append("\(start), but request is \(request)")
                    }
                } else {
                    complaints.append("\(start).  No limit is specified")
                }
            }
            return complaints + amounts("maxLimitRequestRatio").compactMap { ratio($0, $1, requests, limits) }
        }

        private func ratio(
            _ name: String, _ bound: Quantity, _ requests: [String: Quantity], _ limits: [String: Quantity]
        ) -> String? {
            let start = "\(name) max limit to request ratio per \(type) is \(bound)"
            guard let request = requests[name], !request.isZero else {
                return "\(start), but no request is specified or request is 0"
            }
            guard let limit = limits[name], !limit.isZero else {
                return "\(start), but no limit is specified or limit is 0"
            }
            let observed = Double(limit.milliValue) / Double(request.milliValue)
            guard observed * 1000 > Double(bound.milliValue) else { return nil }
            return "\(start), but provided ratio is \(sixDigits(observed))"
        }

        /// A number with six digits behind the point, as Go's `%f`.
        private func sixDigits(_ value: Double) -> String {
            let millionths = Int64((value * 1_000_000).rounded())
            let rest = String(millionths % 1_000_000)
            return "\(millionths / 1_000_000).\(String(repeating: "0", count: 6 - rest.count))\(rest)"
        }

        /// Claims have requests only.
        func claimComplaints(_ claim: KubeObject) -> [String] {
            let requests = claim.value[["spec", "resources", "requests"]]?.object ?? [:]
            var complaints: [String] = []
            for (member, word) in [("min", "minimum"), ("max", "maximum")] {
                for (name, bound) in amounts(member) {
                    let start = "\(word) \(name) usage per \(type) is \(bound)"
                    guard let value = requests[name], let request = Quantity(parsing: value.string ?? value.text) else {
                        complaints.append("\(start).  No request is specified")
                        continue
                    }
                    if member == "min" ? request < bound : request > bound {
                        complaints.append("\(start), but request is \(request)")
                    }
                }
            }
            return complaints
        }
    }
}
