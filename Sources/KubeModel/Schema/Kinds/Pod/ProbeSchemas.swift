/// What the kubelet does to a running container: probes and hooks.
enum ProbeSchemas {
    private static let exec = Schema.core(
        "ExecAction", doc: "Runs a command in the container; it succeeds with exit code 0.",
        [.field("command", .stringList, required: true, doc: "The command and its arguments, without a shell.")])

    private static let header = Schema.core(
        "HTTPHeader", doc: "A header of a request.",
        [
            .field("name", .string, required: true, doc: "Name of the header."),
            .field("value", .string, doc: "Its value."),
        ])

    private static let httpGet = Schema.core(
        "HTTPGetAction", doc: "Sends an HTTP GET; it succeeds with a status from 200 to 399.",
        [
            .field("path", .string, default: "/", doc: "The path."),
            .field(
                "port", .portOrName, countsAbsentAsZero: true,
                doc: "The port, by number or by the name the container gave it."),
            .field("host", .string, doc: "The host; the pod's own IP if absent."),
            .field("scheme", .string, default: "HTTP", oneOf: ["HTTP", "HTTPS"], doc: "HTTP or HTTPS."),
            .field("httpHeaders", .list(of: header), doc: "Headers to send."),
        ])

    private static let tcpSocket = Schema.core(
        "TCPSocketAction", doc: "Opens a TCP connection; it succeeds if something accepts.",
        [
            .field(
                "port", .portOrName, countsAbsentAsZero: true,
                doc: "The port, by number or by the name the container gave it."),
            .field("host", .string, doc: "The host; the pod's own IP if absent."),
        ])

    private static let grpc = Schema.core(
        "GRPCAction", doc: "Asks the gRPC health service.",
        [
            .field("port", .port, countsAbsentAsZero: true, doc: "The port."),
            .field("service", .string, default: "", doc: "The service asked about."),
        ])

    private static let sleep = Schema.core(
        "SleepAction", doc: "Waits.",
        [.field("seconds", .int64, required: true, minimum: 0, doc: "For how long.")])

    /// At most one way to act, and at least one.
    private static func oneHandler(_ names: [String]) -> SchemaTraits.Rule {
        { value, path, errors in
            let given = names.filter { value[$0] != nil }
            if given.isEmpty { errors.append(.required(path, "must specify a handler type")) }
            for extra in given.dropFirst() {
                errors.append(.forbidden(path.child(extra), "may not specify more than 1 handler type"))
            }
        }
    }

    static let probe = Schema.core(
        "Probe", doc: "A question that the kubelet asks a container again and again.",
        [
            .field("exec", exec, doc: "Runs a command in the container."),
            .field("httpGet", httpGet, doc: "Sends an HTTP GET."),
            .field("tcpSocket", tcpSocket, doc: "Opens a TCP connection."),
            .field("grpc", grpc, doc: "Asks the gRPC health service."),
            .field(
                "initialDelaySeconds", .int32, minimum: 0,
                doc: "Seconds after the start of the container before the first try."),
            .field(
                "timeoutSeconds", .int32, default: 1, replacesZero: true, minimum: 0,
                doc: "Seconds after which a try without an answer has failed."),
            .field(
                "periodSeconds", .int32, default: 10, replacesZero: true, minimum: 0,
                doc: "Seconds from one try to the next."),
            .field(
                "successThreshold", .int32, default: 1, replacesZero: true, minimum: 0,
                doc: "Successes in a row after a failure that count as a recovery."),
            .field(
                "failureThreshold", .int32, default: 3, replacesZero: true, minimum: 0,
                doc: "Failures in a row that count as a failure."),
            .field(
                "terminationGracePeriodSeconds", .int64, minimum: 1,
                doc: "Seconds the container gets to end when this probe has failed."),
        ]
    )

    private static let handler = Schema.core(
        "LifecycleHandler", doc: "What a hook does; exactly one member is set.",
        [
            .field("exec", exec, doc: "Runs a command in the container."),
            .field("httpGet", httpGet, doc: "Sends an HTTP GET."),
            .field("tcpSocket", tcpSocket, doc: "Not supported; kept for old manifests."),
            .field("sleep", sleep, doc: "Waits."),
        ]
    )

    static let lifecycle = Schema.core(
        "Lifecycle", doc: "Hooks at the start and at the end of a container.",
        [
            .field("postStart", handler, doc: "Runs right after the container has started."),
            .field("preStop", handler, doc: "Runs before the container is asked to end."),
        ])
}
