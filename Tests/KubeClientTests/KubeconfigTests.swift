import LabTesting
import Testing

@testable import KubeClient

@Suite("Kubeconfigs", .timeLimit(.minutes(5))) struct KubeconfigTests {
    private static let yaml = """
        clusters:
        - name: lab
          cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: Q0E=}
        - name: files
          cluster: {server: "https://files", certificate-authority: ca.crt, insecure-skip-tls-verify: true}
        users:
        - name: admin
          user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ, token: secret}
        contexts:
        - name: lab
          context: {cluster: lab, user: admin, namespace: shop}
        - name: files
          context: {cluster: files}
        current-context: lab
        """

    private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    @Test("a context leads to its cluster and its user, with data that is in the file itself")
    func inlineData() throws {
        let config = try Kubeconfig(yaml: Self.yaml)
        #expect(config.contexts["lab"]?.namespace == "shop")
        let (cluster, user) = try config.resolve(nil)
        #expect(cluster.server == "https://127.0.0.1:6443")
        #expect(!cluster.skipsVerification)
        #expect(text(cluster.certificateAuthority) == "CA")
        #expect(text(user.certificate) == "CERT")
        #expect(text(user.key) == "KEY")
        #expect(user.token == "secret")
    }

    @Test("files are looked up beside the kubeconfig, wherever it is read from")
    func files() async throws {
        try await withTemporaryFolder { folder in
            try Folder.write(Self.yaml, to: "\(folder)/config")
            try Folder.write("CA", to: "\(folder)/ca.crt")
            let up = Folder.workingDirectory.split(separator: "/").map { _ in "../" }.joined()
            for path in ["\(folder)/config", up + folder.dropFirst() + "/config"] {
                let (cluster, user) = try Kubeconfig.load(path: path, environment: [:]).resolve("files")
                #expect(text(cluster.certificateAuthority) == "CA")
                #expect(cluster.skipsVerification)
                #expect(user == Kubeconfig.User())
            }
        }
    }

    @Test("the file is the one that is named, else the first of KUBECONFIG, else that of the home folder")
    func places() async throws {
        try await withTemporaryFolder { folder in
            try Folder.make("\(folder)/.kube")
            for name in ["named", "first", "second", ".kube/config"] {
                try Folder.write("current-context: \(name)", to: "\(folder)/\(name)")
            }
            func current(_ path: String?, _ environment: [String: String]) throws -> String {
                try Kubeconfig.load(path: path, environment: environment).currentContext
            }
            let both = ["HOME": folder, "KUBECONFIG": "\(folder)/first:\(folder)/second"]
            #expect(try current("\(folder)/named", both) == "named")
            #expect(try current(nil, both) == "first")
            #expect(try current(nil, ["HOME": folder]) == ".kube/config")
            #expect(try current(nil, ["HOME": folder, "KUBECONFIG": ""]) == ".kube/config")
        }
    }

    @Test("the files of KUBECONFIG are taken together: of two entries of a name the first one counts")
    func merged() async throws {
        try await withTemporaryFolder { folder in
            try Folder.write(Self.yaml, to: "\(folder)/first")
            try Folder.write(
                """
                clusters:
                - {name: lab, cluster: {server: "https://other"}}
                - {name: far, cluster: {server: "https://far"}}
                contexts:
                - name: far
                  context: {cluster: far}
                current-context: far
                """, to: "\(folder)/second")
            let variables = ["KUBECONFIG": "\(folder)/gone:\(folder)/first:\(folder)/second"]
            let config = try Kubeconfig.load(path: nil, environment: variables)
            #expect(config.currentContext == "lab")
            #expect(try config.resolve("far").cluster.server == "https://far")
            #expect(try config.resolve("lab").cluster.server == "https://127.0.0.1:6443")
        }
    }

    @Test("credentials from a program are not fetched, and that is said")
    func credentialProgram() throws {
        let config = try Kubeconfig(
            yaml: """
                clusters: [{name: c, cluster: {server: "https://a"}}]
                users: [{name: u, user: {exec: {command: aws}}}]
                contexts: [{name: c, context: {cluster: c, user: u}}]
                """)
        let error = try failure { _ = try config.resolve("c") }
        #expect(error.message.contains("gets credentials from the program 'aws'"))
    }

    @Test("a file that cannot be read, or is not YAML, is named")
    func badFile() throws {
        let missing = try failure { _ = try Kubeconfig.load(path: "/nosuch/config", environment: [:]) }
        #expect(
            missing.description
                == "The kubeconfig '/nosuch/config' cannot be read.\n"
                + "hint: Name one with --kubeconfig, or set KUBECONFIG.")
        let broken = try failure { _ = try Kubeconfig(yaml: "clusters: [", path: "conf") }
        #expect(broken.message.hasPrefix("The kubeconfig 'conf' is not YAML: "))
    }

    @Test("a text that is no kubeconfig holds nothing", arguments: ["", "[]", "hello", "clusters: 5\ncontexts: [1]"])
    func nothing(yaml: String) throws {
        let config = try Kubeconfig(yaml: yaml)
        #expect(
            try failure { _ = try config.resolve(nil) }.description
                == "The kubeconfig has no current context.\nhint: The kubeconfig holds no context at all.")
    }

    @Test("a context that is not there is answered with those that are")
    func unknownContext() throws {
        let config = try Kubeconfig(yaml: Self.yaml)
        let error = try failure { _ = try config.resolve("prod") }
        #expect(error.description == "There is no context 'prod'.\nhint: Known contexts: files, lab.")
    }

    @Test(
        "what a context needs and does not have is named, and other contexts are none the worse for it",
        arguments: [
            ("cluster: gone, user: u", "The context 'c' names the cluster 'gone', which is not there."),
            ("cluster: ok, user: gone", "The context 'c' names the user 'gone', which is not there."),
            ("cluster: serverless, user: u", "The kubeconfig 'conf' has no server for the cluster 'serverless'."),
            (
                "cluster: base, user: u",
                "In the kubeconfig 'conf', 'certificate-authority-data' of the cluster 'base' is not Base64."
            ),
            (
                "cluster: file, user: u",
                "The file '/f/ca.crt', which the kubeconfig 'conf' names as 'certificate-authority' of the cluster"
                    + " 'file', cannot be read."
            ),
            (
                "cluster: ok, user: file",
                "The file '/nosuch/crt', which the kubeconfig 'conf' names as 'client-certificate' of the user 'file',"
                    + " cannot be read."
            ),
        ])
    func brokenEntries(context: String, message: String) throws {
        let config = try Kubeconfig(
            yaml: """
                clusters:
                - {name: ok, cluster: {server: "https://a"}}
                - {name: serverless, cluster: {}}
                - {name: base, cluster: {server: "https://a", certificate-authority-data: "%%%"}}
                - {name: file, cluster: {server: "https://a", certificate-authority: ca.crt}}
                users:
                - {name: u, user: {}}
                - {name: file, user: {client-certificate: /nosuch/crt}}
                contexts:
                - {name: c, context: {\(context)}}
                - {name: fine, context: {cluster: ok, user: u}}
                """, path: "conf", folder: "/f")
        #expect(try failure { _ = try config.resolve("c") }.message == message)
        #expect(try config.resolve("fine").cluster.server == "https://a")
    }

    @Test(
        "a client says what is wrong with the address or the certificates",
        arguments: [
            ("server: 127.0.0.1", "The server address '127.0.0.1' is not a URL."),
            ("server: \"https://\"", "The server address 'https://' is not a URL."),
            ("server: \"https://a:b\"", "The server address 'https://a:b' is not a URL."),
            (
                "server: \"https://a\", certificate-authority-data: Q0E=",
                "The certificates of the kubeconfig cannot be used: "
            ),
        ])
    func client(cluster: String, message: String) throws {
        let yaml = "{clusters: [{name: c, cluster: {\(cluster)}}], contexts: [{name: c, context: {cluster: c}}]}"
        let config = try Kubeconfig(yaml: yaml)
        #expect(try failure { _ = try HTTPSClient(kubeconfig: config, context: "c") }.message.hasPrefix(message))
    }

    // MARK: Merging

    private static let own = """
        preferences: {colors: true}
        clusters:
        - {name: work, cluster: {server: "https://work"}}
        - {name: lab, cluster: {server: "https://old"}}
        users:
        - {name: me, user: {token: "0123"}}
        - {name: you, user: {token: "true"}}
        - {name: he, user: {token: "1e3"}}
        contexts:
        - {name: work, context: {cluster: work, user: me, namespace: "8080"}}
        - {name: lab, context: {cluster: lab, user: old}}
        current-context: work
        """

    /// Merges into a file with this text (nil: none) and gives its path to `body`.
    private func merging(_ own: String?, _ body: (_ path: String) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            try Folder.write(Self.yaml, to: "\(folder)/added")
            let path = "\(folder)/.kube/config"
            if let own {
                try Folder.make("\(folder)/.kube")
                try Folder.write(own, to: path)
            }
            try Kubeconfig.merge(file: "\(folder)/added", into: path)
            try await body(path)
        }
    }

    @Test("a file that is not there is made, for its owner only, and reads back", arguments: [nil, ""])
    func newFile(own: String?) async throws {
        try await merging(own) { path in
            #expect(try Folder.mode(path) == 0o600)
            let merged = try Kubeconfig.load(path: path, environment: [:])
            let added = try Kubeconfig(yaml: Self.yaml)
            #expect(merged.users == added.users)
            #expect(merged.contexts == added.contexts)
            #expect(merged.clusters["lab"] == added.clusters["lab"])
            #expect(merged.currentContext == "lab")
        }
    }

    @Test("other contexts stay, one of the same name is replaced, and the new one becomes current")
    func kept() async throws {
        try await merging(Self.own) { path in
            let merged = try Kubeconfig.load(path: path, environment: [:])
            #expect(merged.contexts.keys.sorted() == ["files", "lab", "work"])
            #expect(try merged.resolve("work").cluster.server == "https://work")
            #expect(try merged.resolve(nil).cluster.server == "https://127.0.0.1:6443")
            #expect(try Folder.mode(path) == 0o600)
            #expect(try Folder.read(path).contains("colors: true"))
        }
    }

    @Test("texts that look like numbers or truth values stay texts, and quoted")
    func texts() async throws {
        try await merging(Self.own) { path in
            let merged = try Kubeconfig.load(path: path, environment: [:])
            #expect(["me", "you", "he"].map { merged.users[$0]?.token } == ["0123", "true", "1e3"])
            #expect(merged.contexts["work"]?.namespace == "8080")
            for bare in ["token: 0123\n", "token: true\n", "token: 1e3\n", "namespace: 8080\n"] {
                #expect(!(try Folder.read(path)).contains(bare))
            }
        }
    }

    @Test("a file that is broken is left as it is")
    func brokenTarget() async throws {
        try await withTemporaryFolder { folder in
            try Folder.write(Self.yaml, to: "\(folder)/added")
            try Folder.write("just a text", to: "\(folder)/config")
            let error = try failure { try Kubeconfig.merge(file: "\(folder)/added", into: "\(folder)/config") }
            #expect(
                error.description
                    == "The kubeconfig '\(folder)/config' is not YAML, and is left as it is.\nhint: Mend it, and try again."
            )
            #expect(try Folder.read("\(folder)/config") == "just a text")
        }
    }
}
