import CEL
import KubeModel
import ObjectStore

/// Whether the expressions of a policy fit the types that its rules name: what its status says.
///
/// Source: Kubernetes, `apiserver/pkg/admission/plugin/policy/validating/typechecking.go`.
struct PolicyTypeCheck {
    private static let typesMax = 10

    private let policy: KubeObject
    private let catalog: KindCatalog
    private var spec: JSONValue { policy.value["spec"] ?? [:] }

    init(_ policy: KubeObject, _ catalog: KindCatalog) {
        self.policy = policy
        self.catalog = catalog
    }

    /// Writes what was found into the status of a policy whose wish has changed.
    static func writeStatus(of target: Target, in registry: Registry) async {
        guard let stored = registry.store.get(target.key),
            stored.object.value[["status", "observedGeneration"]]?.int != stored.object.generation
        else { return }
        var object = stored.object
        let warnings = PolicyTypeCheck(object, registry.catalog).warnings
        object.value[["status", "observedGeneration"]] = JSONValue(object.generation)
        object.value[["status", "typeChecking"]] = warnings.isEmpty ? [:] : ["expressionWarnings": .array(warnings)]
        // Somebody else who is faster has caused a look of his own.
        _ = try? await registry.store.put(target.key, object, .revision(stored.revision))
    }

    /// The elements of `status.typeChecking.expressionWarnings`.
    var warnings: [JSONValue] {
        let kinds = kinds
        guard !kinds.isEmpty else { return [] }
        let environments = kinds.map { ($0, expressions(for: $0)) }
        var warnings: [JSONValue] = []
        for (index, validation) in (spec["validations"]?.array ?? []).enumerated() {
            for member in ["expression", "messageExpression"] {
                guard let text = validation[member]?.string, !text.isEmpty else { continue }
                let found = environments.compactMap { kind, expressions in
                    Self.issues(text, expressions).map {
                        "\(kind.resource.apiVersion), Kind=\(kind.resource.kind): \($0)\n"
                    }
                }
                guard !found.isEmpty else { continue }
                warnings.append([
                    "fieldRef": .string("spec.validations[\(index)].\(member)"),
                    "warning": .string(found.joined(separator: "\n")),
                ])
            }
        }
        return warnings
    }

    private static func issues(_ text: String, _ expressions: AdmissionExpressions) -> String? {
        do throws(AdmissionExpressions.Refusal) {
            _ = try expressions.compile(text, as: .variable)
            return nil
        } catch {
            return String(error.message.dropFirst("compilation failed: ".count))
        }
    }

    private func expressions(for kind: KindSchema) -> AdmissionExpressions {
        let params = spec["paramKind"].flatMap {
            catalog.kind(apiVersion: $0["apiVersion"]?.string ?? "", kind: $0["kind"]?.string ?? "")
        }
        var expressions = AdmissionExpressions(
            hasParams: spec["paramKind"] != nil, object: kind.declaration, params: params?.declaration)
        for variable in spec["variables"]?.array ?? [] {
            _ = expressions.declare(variable["name"]?.string ?? "", variable["expression"]?.string ?? "")
        }
        return expressions
    }

    /// The kinds that the rules name one by one; rules with a star name none.
    private var kinds: [KindSchema] {
        var kinds: [KindSchema] = []
        for rule in spec[["matchConstraints", "resourceRules"]]?.array ?? [] {
            func texts(_ member: String) -> [String] {
                let texts = (rule[member]?.array ?? []).compactMap(\.string)
                return texts.contains { $0.contains("*") } && member != "resources" ? [] : texts.sorted()
            }
            for group in texts("apiGroups") {
                for version in texts("apiVersions") {
                    for resource in texts("resources") where !resource.contains("*") && !resource.contains("/") {
                        guard let kind = catalog.kind(group: group, version: version, plural: resource),
                            !kinds.contains(where: { $0 === kind }), kinds.count < Self.typesMax
                        else { continue }
                        kinds.append(kind)
                    }
                }
            }
        }
        return kinds.sorted {
            ($0.resource.group, $0.resource.version, $0.resource.kind)
                < ($1.resource.group, $1.resource.version, $1.resource.kind)
        }
    }
}
