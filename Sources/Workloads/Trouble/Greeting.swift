import Glibc

/// The image `hello-world`: greets and ends.
enum Greeting {
    static func run() -> Never {
        print(
            """

            Hello from VelocityLab!
            This message shows that your cluster can run a container:
             1. kubectl asked the API server for a pod.
             2. The scheduler chose a node for it.
             3. The kubelet found the image "hello-world" in this machine's catalogue.
             4. The runtime started this program in a container of its own; what it prints is what you read now.

            To try something larger:
              kubectl run web --image=nginx --port=80

            """)
        exit(0)
    }
}
