import Glibc

/// The course's services in one program: the first argument, or the name it is called by, says which one runs.
@main
enum Workloads {
    private static let programs: [(name: String, run: @Sendable (Surroundings, [String]) -> Never)] = [
        ("payment-gateway", { surroundings, _ in PaymentGateway.run(surroundings) }),
        ("orders-service", { surroundings, _ in OrdersService.run(surroundings) }),
        ("sample-api", { surroundings, _ in SampleAPI.run(surroundings) }),
        ("broken-app", { surroundings, _ in TroubledApp.run(.broken, surroundings) }),
        ("leaking-app", { surroundings, _ in TroubledApp.run(.leaking, surroundings) }),
        ("crashing-app", { surroundings, _ in TroubledApp.run(.crashing, surroundings) }),
        ("slow-app", { surroundings, _ in TroubledApp.run(.slow, surroundings) }),
        ("hello-world", { _, _ in Greeting.run() }),
        ("load", { _, arguments in LoadGenerator.run(arguments) }),
    ]

    static func main() {
        var arguments = CommandLine.arguments
        let called = arguments.removeFirst().split(separator: "/").last.map(String.init) ?? ""
        var name = called
        if called == "Workloads" { name = arguments.isEmpty ? "" : arguments.removeFirst() }
        guard let program = programs.first(where: { $0.name == name }) else {
            let names = programs.map(\.name).joined(separator: ", ")
            fail("There is no workload '\(name)'.\nhint: Call one of: \(names).", code: 64)
        }
        program.run(Surroundings.ofThisProcess(), arguments)
    }

    /// Says why to standard error, and ends the program.
    static func fail(_ sentence: String, code: Int32) -> Never {
        let bytes = Array((sentence + "\n").utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
        exit(code)
    }
}
