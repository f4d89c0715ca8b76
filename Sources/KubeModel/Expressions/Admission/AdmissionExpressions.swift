public import CEL

/// Compiles the expressions of policies and of conditions for requests.
///
/// Source: Kubernetes, `apiserver/pkg/admission/plugin/cel`.
public struct AdmissionExpressions: Sendable {
    /// What an expression is for, and so what it must give.
    public enum Purpose: Sendable {
        case condition
        case message
        case remark
        case variable

        fileprivate var types: [ValueType] {
            switch self {
            case .condition: [.bool]
            case .message: [.string]
            case .remark: [.string, .null]
            case .variable: []
            }
        }
    }

    /// Why an expression cannot be used, in Kubernetes' words.
    public struct Refusal: Error, Sendable, Hashable {
        public let message: String
    }

    private var variables: [String: Declaration]
    /// The policy's own variables, as far as they have been declared.
    private var composed: [String: Declaration] = [:]

    /// - Parameters:
    ///   - object: What is known of `object` and `oldObject`; anything when nil.
    ///   - params: What is known of `params`.
    public init(hasParams: Bool, object: Declaration? = nil, params: Declaration? = nil) {
        let object = object ?? Declaration(.dyn)
        variables = [
            "object": object, "oldObject": object, "request": RequestTypes.request,
            "namespaceObject": RequestTypes.namespace,
            "variables": Declaration(.object(ObjectType(Self.variablesType, [:]))),
        ]
        if hasParams { variables["params"] = params ?? Declaration(.dyn) }
    }

    /// The name of the type of `variables`.
    public static let variablesType = "kubernetes.variables"

    /// Compiles an expression; messages know no authorizer.
    public func compile(_ text: String, as purpose: Purpose) throws(Refusal) -> Program {
        var variables = variables
        if purpose != .message {
            variables["authorizer"] = Declaration(AuthorizerValue.authorizerType)
            variables["authorizer.requestResource"] = Declaration(AuthorizerValue.resourceType)
        }
        let program: Program
        do throws(CompilationError) {
            program = try Environment(variables: variables, functions: .kubernetes).compile(text)
        } catch {
            throw Refusal(message: "compilation failed: \(error.description)")
        }
        let types = purpose.types
        guard types.isEmpty || types.contains(program.resultType) else {
            let wanted = types.map { $0 == .null ? "null_type" : $0.description }
            throw Refusal(
                message: types.count == 1
                    ? "must evaluate to \(wanted[0]) but got \(program.resultType)"
                    : "must evaluate to one of [\(wanted.joined(separator: " "))] but got \(program.resultType)")
        }
        return program
    }

    /// What is wrong with an expression; nil for one that can be used.
    func complaint(about text: String, as purpose: Purpose) -> String? {
        do throws(Refusal) {
            _ = try compile(text, as: purpose)
            return nil
        } catch {
            return error.message
        }
    }

    /// Makes `variables.NAME` known to all expressions that are compiled from now on.
    ///
    /// - Returns: What is wrong with the variable's expression, which is then known as a value of any type.
    public mutating func declare(_ name: String, _ text: String) -> String? {
        var refusal: String?
        var type = ValueType.dyn
        do throws(Refusal) {
            type = try compile(text, as: .variable).resultType
        } catch {
            refusal = error.message
        }
        composed[name] = Declaration(type)
        variables["variables"] = Declaration(.object(ObjectType(Self.variablesType, composed)))
        return refusal
    }
}

/// The types of `request` and `namespaceObject`.
private enum RequestTypes {
    private static func object(_ name: String, _ fields: [String: ValueType]) -> ValueType {
        .object(ObjectType(name, fields.mapValues { Declaration($0) }))
    }

    private static let kind = object(
        "kubernetes.GroupVersionKind", ["group": .string, "version": .string, "kind": .string])
    private static let resource = object(
        "kubernetes.GroupVersionResource", ["group": .string, "version": .string, "resource": .string])
    private static let user = object(
        "kubernetes.UserInfo",
        ["username": .string, "uid": .string, "groups": .strings, "extra": .map(.string, .strings)])

    static let request = Declaration(
        object(
            "kubernetes.AdmissionRequest",
            [
                "kind": kind, "resource": resource, "subResource": .string, "requestKind": kind,
                "requestResource": resource, "requestSubResource": .string, "name": .string, "namespace": .string,
                "operation": .string, "userInfo": user, "dryRun": .bool, "options": .dyn,
            ]))

    private static let metadata = object(
        "kubernetes.NamespaceMetadata",
        [
            "name": .string, "generateName": .string, "namespace": .string, "labels": .map(.string, .string),
            "annotations": .map(.string, .string), "UID": .string, "creationTimestamp": .timestamp,
            "deletionGracePeriodSeconds": .int, "deletionTimestamp": .timestamp, "generation": .int,
            "resourceVersion": .string, "finalizers": .strings,
        ])
    private static let condition = object(
        "kubernetes.NamespaceCondition",
        ["status": .string, "type": .string, "lastTransitionTime": .timestamp, "message": .string, "reason": .string])

    static let namespace = Declaration(
        object(
            "kubernetes.Namespace",
            [
                "metadata": metadata, "spec": object("kubernetes.NamespaceSpec", ["finalizers": .strings]),
                "status": object("kubernetes.NamespaceStatus", ["conditions": .list(condition), "phase": .string]),
            ]))
}
