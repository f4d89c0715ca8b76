import Glibc

/// The course's services in one program: the first argument, or the name it is called by, says which one runs.
@main
enum Workloads {
    static func main() {
        var arguments = CommandLine.arguments
        let called = arguments.removeFirst().split(separator: "/").last.map(String.init) ?? ""
        let name = called == "Workloads" ? arguments.first ?? "" : called
        switch name {
        case "payment-gateway": PaymentGateway.run(environment: environment())
        default:
            complain("There is no workload '\(name)'.\nhint: Call one of: payment-gateway.\n")
            exit(64)
        }
    }

    private static func environment() -> [String: String] {
        var variables: [String: String] = [:]
        var cursor = environ
        while let entry = cursor.pointee {
            let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            cursor += 1
        }
        return variables
    }

    static func complain(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
