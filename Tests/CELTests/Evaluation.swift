@testable import CEL

/// What an expression gives, as text: the value, or the words in which it was refused or failed.
func evaluate(_ text: String, _ variables: [String: Value] = [:], costLimit: Int = 1_000_000) -> String {
    let declarations = variables.mapValues { _ in Declaration(.dyn) }
    do throws(CompilationError) {
        let program = try Environment(variables: declarations, functions: .base).compile(text)
        return switch program.evaluate(variables, costLimit: costLimit).result {
        case .success(let value): describe(value)
        case .failure(let error): "error: \(error.message)"
        }
    } catch {
        return "refused: \(error.description)"
    }
}

/// The first line of what the compiler says.
func complaint(_ text: String, _ variables: [String: Declaration] = [:]) -> String {
    do throws(CompilationError) {
        return try Environment(variables: variables, functions: .base).compile(text).resultType.description
    } catch {
        return String(error.description.prefix { $0 != "\n" })
    }
}

private func describe(_ value: Value) -> String {
    switch value {
    case .uint(let number): "\(number)u"
    case .string(let text): "'\(text)'"
    case .bytes(let bytes): "b\(bytes)"
    case .list(let list): "[\(list.elements.map(describe).joined(separator: ", "))]"
    case .map(let map):
        "{\(zip(map.keys, map.values).map { "\(describe($0)): \(describe($1))" }.joined(separator: ", "))}"
    case .timestamp(let instant): instant.text
    case .duration(let nanoseconds): DurationText.text(nanoseconds: nanoseconds)
    case .type(let name): "type \(name)"
    case .optional(let inner): inner.map { "some \(describe($0))" } ?? "none"
    default: value.shown
    }
}
