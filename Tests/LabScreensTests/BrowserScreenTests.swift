import KubeModel
import LabScreens
import ScreenKit
import Testing

@Suite("Looking into the cluster") struct BrowserScreenTests {
    private static let now = Timestamp(seconds: 1_700_000_090)
    private static let created: JSONValue = "2023-11-14T22:13:20Z"

    private static func pod(_ name: String, isReady: Bool = true, labels: JSONValue = [:]) -> KubeObject {
        KubeObject([
            "apiVersion": "v1", "kind": "Pod",
            "metadata": [
                "name": .string(name), "namespace": "velocitytech", "creationTimestamp": created, "labels": labels,
            ],
            "spec": ["containers": [["name": "web", "image": "nginx"], ["name": "side", "image": "busybox"]]],
            "status": [
                "phase": "Running", "conditions": [["type": "Ready", "status": isReady ? "True" : "False"]],
                "containerStatuses": [
                    ["name": "web", "ready": .bool(isReady), "restartCount": 0, "state": ["running": [:]]],
                    ["name": "side", "ready": true, "restartCount": 0, "state": ["running": [:]]],
                ],
            ],
        ])
    }

    private static func deployment(_ name: String) -> KubeObject {
        KubeObject([
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": ["name": .string(name), "namespace": "velocitytech", "creationTimestamp": created],
            "spec": ["replicas": 3, "selector": ["matchLabels": ["app": .string(name)]]],
            "status": ["readyReplicas": 1],
        ])
    }

    private static let pods = BrowserTarget.list(BrowserQuery(.pods, namespace: "velocitytech"))

    /// The cluster's screen over the lab, with two pods in it.
    private static func opened(columns: Int = 80) -> App {
        var app = Fixtures.app(.phase(Fixtures.phase), columns: columns, rows: 16)
        app.press(.character("v"))
        _ = app.update(.browsed(pods, .objects([pod("web-b", isReady: false), pod("web-a")]), at: now))
        return app
    }

    private static func rows(_ app: App) -> [Substring] { app.text.split(separator: "\n") }

    @Test("v shows the pods as kubectl prints them, with a sign for how they are")
    func table() {
        var app = Fixtures.app(.phase(Fixtures.phase), rows: 16)
        #expect(app.press(.character("v")) == [.follow(Self.pods)])
        #expect(app.text.contains("looking ..."))
        _ = app.update(
            .browsed(Self.pods, .objects([Self.pod("web-b", isReady: false), Self.pod("web-a")]), at: Self.now))
        #expect(
            Self.rows(app).prefix(5) == [
                "VelocityLab  cluster › velocitytech",
                " Pods 2  Deployments  ReplicaSets  StatefulSets  DaemonSets  Jobs  Services",
                "  NAME   READY  STATUS   RESTARTS  AGE",
                "✓ web-a  2/2    Running  0         90s",
                "· web-b  1/2    Running  0         90s",
            ])
        _ = app.update(.time(Timestamp(seconds: 1_700_000_120)))
        #expect(app.text.contains("2m"), "ages grow")
        #expect(app.press(.escape) == [.follow(nil)])
        #expect(app.text.contains("step 1 of 2"))
    }

    @Test("the selected object stays selected when others come and go")
    func selection() {
        var app = Self.opened()
        app.press(.down)
        _ = app.update(.browsed(Self.pods, .objects(["web-0", "web-a", "web-b"].map { Self.pod($0) }), at: Self.now))
        #expect(
            app.press(.character("d")) == [
                .follow(.object(BrowserObject(.pods, namespace: "velocitytech", name: "web-b")))
            ])
    }

    @Test("an answer to what is no longer shown changes nothing")
    func lateAnswer() {
        var app = Self.opened()
        app.press(.right)
        _ = app.update(.browsed(Self.pods, .objects([Self.pod("late")]), at: Self.now))
        #expect(!app.text.contains("late") && app.text.contains("looking ..."))
    }

    @Test("Enter goes from a workload to its pods, and Esc back")
    func descend() {
        var app = Self.opened()
        let deployments = BrowserTarget.list(BrowserQuery(.deployments, namespace: "velocitytech"))
        #expect(app.press(.right) == [.follow(deployments)])
        _ = app.update(.browsed(deployments, .objects([Self.deployment("web")]), at: Self.now))
        #expect(app.text.contains("· web   1/3"))
        let own = BrowserTarget.list(
            BrowserQuery(.pods, namespace: "velocitytech", labelSelector: "app=web", owner: "Deployment web"))
        #expect(app.press(.enter) == [.follow(own)])
        #expect(app.text.contains("Pods of Deployment web"))
        #expect(app.press(.escape) == [.follow(deployments)])
    }

    @Test("a filter looks at names, cells and labels")
    func filter() {
        var app = Self.opened()
        _ = app.update(
            .browsed(
                Self.pods, .objects([Self.pod("web-a"), Self.pod("db-0", labels: ["tier": "data"])]), at: Self.now))
        app.press(.character("/"), .character("d"), .character("a"), .character("t"), .character("a"))
        #expect(app.text.contains("db-0") && !app.text.contains("web-a"))
        app.press(.enter)
        #expect(app.text.contains("/data: 1 of 2"))
        app.press(.escape)
        #expect(app.text.contains("web-a"))
    }

    @Test("kinds are reached by the names that kubectl knows", arguments: ["no", "nodes", "Node"])
    func kinds(word: String) {
        var app = Self.opened()
        app.press(.character(":"))
        for letter in word { app.press(.character(letter)) }
        #expect(app.press(.enter) == [.follow(.list(BrowserQuery(.nodes, namespace: nil)))])
    }

    @Test("a kind that is not there is said to be not there")
    func unknownKind() {
        var app = Self.opened()
        app.press(.character(":"), .character("x"))
        #expect(app.press(.enter).isEmpty)
        #expect(app.text.contains("There is no kind 'x' here"))
    }

    @Test("details show events first, then the object, without bookkeeping and without secrets")
    func details() {
        var app = Self.opened()
        let secrets = BrowserTarget.list(BrowserQuery(.secrets, namespace: "velocitytech"))
        app.press(.character(":"), .character("s"), .character("e"), .character("c"), .character("r"), .character("e"))
        #expect(app.press(.character("t"), .enter) == [.follow(secrets)])
        let secret = KubeObject([
            "kind": "Secret", "data": ["password": "aHVudGVyMg=="],
            "metadata": ["name": "db", "namespace": "velocitytech", "managedFields": [["manager": "kubectl"]]],
        ])
        let event = KubeObject([
            "type": "Warning", "reason": "Odd", "message": "it is odd", "count": 3,
            "lastTimestamp": "2023-11-14T22:14:00Z",
        ])
        _ = app.update(.browsed(secrets, .objects([secret]), at: Self.now))
        app.press(.enter)
        let target = BrowserTarget.object(BrowserObject(.secrets, namespace: "velocitytech", name: "db"))
        _ = app.update(.browsed(target, .object(secret, events: [event]), at: Self.now))
        #expect(app.text.contains("  50s ! Odd: it is odd (3 times)"))
        #expect(app.text.contains("password: (7 bytes, not shown)"))
        #expect(!app.text.contains("aHVudGVyMg") && !app.text.contains("managedFields"))
        _ = app.update(.browsed(target, .object(nil, events: []), at: Self.now))
        #expect(app.text.contains("It is gone. This is what it was:") && app.text.contains("password"))
    }

    @Test("a log keeps its end in view until somebody scrolls, and goes through the containers")
    func log() {
        var app = Self.opened()
        let pod = BrowserObject(.pods, namespace: "velocitytech", name: "web-a")
        #expect(app.press(.character("l")) == [.follow(.log(pod, container: "web"))])
        let target = BrowserTarget.log(pod, container: "web")
        _ = app.update(.browsed(target, .lines((1...40).map { "line \($0)" }), at: Self.now))
        #expect(app.text.contains("line 40"))
        app.press(.pageUp)
        _ = app.update(.browsed(target, .lines(["line 41"]), at: Self.now))
        #expect(!app.text.contains("line 41"))
        app.press(.end)
        #expect(app.text.contains("line 41"))
        #expect(app.press(.character("c")) == [.follow(.log(pod, container: "side"))])
    }

    @Test("an object is deleted after a yes, and after nothing else")
    func delete() {
        var app = Self.opened()
        app.press(.control("d"))
        #expect(app.text.contains("Delete Pod web-a in velocitytech?"))
        #expect(app.press(.enter).isEmpty)
        app.press(.control("d"))
        let pod = BrowserObject(.pods, namespace: "velocitytech", name: "web-a")
        #expect(app.press(.character("y")) == [.deleteObject(pod)])
    }

    @Test("a wide screen has the columns of -o wide")
    func wide() {
        #expect(!Self.opened().text.contains("NODE"))
        #expect(Self.opened(columns: 160).text.contains("NODE"))
    }

    @Test("a cluster that has come up is looked at anew")
    func restart() {
        var app = Self.opened()
        _ = app.update(.cluster(ClusterView(state: .stopped("It stopped."))))
        #expect(app.update(.cluster(Fixtures.cluster)) == [.follow(Self.pods)])
    }

    @Test("opened alone, the screen ends with the session")
    func alone() {
        var app = Fixtures.app(.cluster)
        #expect(app.press(.escape) == [.cancelCheckpoint, .quit])
    }
}
