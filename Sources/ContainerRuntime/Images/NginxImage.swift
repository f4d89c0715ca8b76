import Glibc

/// `nginx`: the host's nginx, with the official image's ways: `/usr/share/nginx/html`, `/etc/nginx/nginx.conf` and `conf.d`, logs to
/// the streams; root's, with workers of the user `nginx`, wherever one program can change its user.
extension ImageCatalog {
    static let nginxImage = BuiltIn(
        repository: "docker.io/library/nginx", tags: nginxTags,
        tagSummary: "1.14 to 1.29, stable, latest, each also -alpine", runs: "the host's nginx",
        needs: ("nginx", "nginx-light")
    ) { reference, tag, _ in
        let isRoots = geteuid() == 0 || UserRanges.isAvailable
        return Recipe(
            image: Image(
                reference: reference, digest: "builtin:nginx:\(tag)",
                entrypoint: ["sh", nginxEntrypointPath, nginxSettings],
                command: ["nginx", "-g", "daemon off;"], user: isRoots ? nil : 101, stopSignal: 3),
            files: [
                SystemFiles.File(path: nginxEntrypointPath, content: nginxEntrypoint),
                SystemFiles.File(path: nginxSettings, content: nginxConfiguration(nginxServer)),
            ],
            defaults: [
                SystemFiles.File(
                    path: "/etc/nginx/nginx.conf",
                    content: (isRoots ? "user nginx;\n" : "")
                        + nginxConfiguration("include /etc/nginx/conf.d/*.conf;")),
                SystemFiles.File(path: "/etc/nginx/conf.d/default.conf", content: nginxServer + "\n"),
            ],
            litter: ["/run/nginx.pid", "/tmp/nginx.pid"]
                + ["body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "/tmp/\($0)" },
            owned: ["/usr/share/nginx/html", "/etc/nginx/conf.d"])
    }

    /// Those of level `plain`, where the files in /etc/nginx are this machine's.
    private static let nginxSettings = "/etc/velocitylab/nginx.conf"

    private static let nginxTags: [String] = {
        let versions =
            ["1", "1.14.2", "1.16.1"] + (14...29).map { "1.\($0)" } + ["1.25.3", "1.25.4", "1.26.2", "1.27.3"]
        let names = versions + ["stable", "mainline"]
        return ["latest", "alpine"] + names + names.map { "\($0)-alpine" }
    }()

    private static let nginxEntrypointPath = "/opt/velocitylab/bin/docker-entrypoint.sh"

    /// In a root of its own it has the folders of the official image; at level `plain` a folder of its own, where it may make one.
    private static let nginxEntrypoint = """
        #!/bin/sh
        settings=$1
        shift
        if [ "${1:-}" != nginx ]; then exec "$@"; fi
        shift
        if [ -z "${VELOCITY_ROOT:-}" ]; then
            settings=/etc/nginx/nginx.conf
            mkdir -p /var/cache/nginx /var/lib/nginx /var/log/nginx
            ln -s /dev/stdout /var/log/nginx/access.log
            ln -s /dev/stderr /var/log/nginx/error.log
        elif mkdir "$VELOCITY_ROOT/nginx"; then
            own=$VELOCITY_ROOT/nginx/nginx.conf
            # Whoever nginx would become cannot read the pod's files.
            if [ "$(id -u)" = 0 ]; then echo "user root;"; fi > "$own"
            sed "s|/tmp/|$VELOCITY_ROOT/nginx/|" "$settings" >> "$own" && settings=$own
        fi 2>/dev/null
        exec nginx -e stderr -c "$settings" "$@"

        """

    private static let nginxServer = """
        server {
            listen 80;
            server_name localhost;
            root /usr/share/nginx/html;
            index index.html index.nginx-debian.html;
        }
        """

    private static func nginxConfiguration(_ servers: String) -> String {
        """
        worker_processes 1;
        pid /tmp/nginx.pid;
        error_log stderr;
        events { worker_connections 256; }
        http {
            include /etc/nginx/mime.types;
            access_log /dev/stdout;
            client_body_temp_path /tmp/body;
            proxy_temp_path /tmp/proxy;
            fastcgi_temp_path /tmp/fastcgi;
            uwsgi_temp_path /tmp/uwsgi;
            scgi_temp_path /tmp/scgi;
            \(servers)
        }

        """
    }
}
