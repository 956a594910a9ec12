"""web.redact: whatever is a secret is hidden, whatever is none stays, and no text makes it slow or fail."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from web.redact import MARK, redact

SECRET = "hunter2"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"
HIDDEN = [
    ["app", "--password=hunter2"],
    ["app", "--password", "hunter2", "--host", "db"],
    ["app", "-password", "hunter2"],
    ["app", "--db-password=hunter2 and more"],
    ["app", "--client-secret:hunter2"],
    ["app", "--apiKey", "hunter2"],
    ["app", "-Dspring.datasource.password=hunter2", "-jar", "app.jar"],
    ["app", "-e", "POSTGRES_PASSWORD=hunter2"],
    ["env", "AWS_SECRET_ACCESS_KEY=/hunter2/x", "app"],
    ["env", "GITHUB_TOKEN=hunter2", "API_TOKEN_2=hunter2", "DB_PASS=hunter2", "MYSQL_PWD=hunter2", "app"],
    ["sh", "-c", "TOKEN=hunter2 exec app --verbose"],
    ["bash", "-ec", "export DB_PASSWORD='hunter2 with spaces'; exec app"],
    ["bash", "-c", "PASSWORD='it'\\''s hunter2' app"],
    ["bash", "-c", 'app --password "hunter2 \\"quoted\\" hunter2" --host db'],
    ["sh", "-c", "app --token hunter2 --host db"],
    ["sh", "-c", "curl -H 'Authorization: Bearer hunter2' -H \"X-Api-Key: hunter2\" https://h/"],
    ["sh", "-c", "echo Authorization: Basic hunter2"],
    ["curl", "--header", "Authorization: Bearer hunter2"],
    ["curl", "-H", "X-Api-Key:hunter2"],
    ["curl", "-H", "Cookie: session=hunter2; theme=hunter2"],
    ["curl", "-u", "bob:hunter2", "https://h/"],
    ["curl", "--user=bob:hunter2", "https://h/"],
    ["curl", "-b", "sid=hunter2", "https://h/"],
    ["curl", "-bsid=hunter2; theme=dark", "https://h/"],
    ["sh", "-c", "cd /x && curl -s -b 'sid=hunter2; a=b' https://h/"],
    ["http", "--auth", "bob:hunter2", "https://h/"],
    ["http", "--auth=bob:hunter2", "https://h/"],
    ["app", "--basic-auth", "bob:hunter2"],
    ["app", "--http.basicauth=bob:hunter2"],
    ["sh", "-c", "app --basic-auth 'bob:hunter2 hunter2' --port 1"],
    ["env", "BASIC_AUTH=bob:hunter2", "app"],
    ["curl", "https://bob:hunter2@h/"],
    ["curl", "https://h/x?user=1&token=hunter2&y=2", "https://h/y?sv=2024&sig=hunter2"],
    ["curl", "-d", '{"user": "bob", "password": "hunter2", "n": 1}'],
    ["sh", "-c", 'curl -d "{\\"password\\":\\"hunter2\\"}" https://h/'],
    ["app", "postgres://bob:hunter2@db:5432/app?sslmode=disable"],
    ["app", "redis://:hunter2@cache:6379/0"],
    ["app", "amqp://bob:a/b?hunter2#c@mq:5672//"],
    ["app", "--broker=amqp://bob:1234hunter2@mq"],
    ["git", "clone", "https://x-access-token:hunter2@github.com/a/b"],
    ["git", "clone", "https://hunter2hunter2hunter2@github.com/a/b"],
    ["app", "--dsn=root:hunter2@tcp(127.0.0.1:3306)/app"],
    ["app", "host=db user=bob password=hunter2 dbname=app"],
    ["app", "Server=db;User=bob;Password=hunter2;Database=app"],
    ["app", "Server=h;Uid=a;Pwd=hunter2;"],
    ["app", "--db=Driver={x}; UID=a; PWD = hunter2; Port=1"],
    ["sh", "-c", "app --db 'Server=h;pwd=hunter2'"],
    ["app", "AccountName=a;AccountKey=hunter2/+=="],
    ["helm", "upgrade", "--set", "image=a,db.password=hunter2"],
    ["redis-server", "--requirepass", "hunter2"],
    ["rabbitmq", "-setcookie", "hunter2"],
    ["keytool", "-storepass", "hunter2"],
    ["openssl", "-passin", "pass:hunter2"],
    ["vault", "write", "auth/approle/login", "role_id=r", "secret_id=hunter2"],
    ["mysql", "-uroot", "-phunter2", "app"],
    ["/usr/bin/mysqldump", "-phunter2"],
    ["sh", "-c", "cd /x && mysqldump -uroot -p'hunter2 hunter2' app | gzip"],
    ["sshpass", "-p", "hunter2", "ssh", "h"],
    ["sshpass", "-phunter2", "ssh", "h"],
    ["redis-cli", "-h", "cache", "-a", "hunter2"],
    ["mongodump", "-u", "bob", "-p", "hunter2"],
    ["ldapsearch", "-x", "-w", "hunter2"],
    ["sh", "-c", "sshpass -p hunter2 ssh h; redis-cli -a hunter2 get k"],
    [
        "celery worker --broker=amqp://bob:hunter2@mq --password hunter2"
    ],  # as daemons write it over their argv[0]
]
SHAPES = [
    JWT,
    PEM,
    PEM[:45],
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_11ABCDEFG0abcdefghijkl_mnop",
    "glpat-abcdefghij0123456789",
    "xoxb-123456789012-abcdefghij",
    "sk-proj-abcdefghijklmnop0123",
    "sk_live_abcdefghij0123",
    "AIzaSyA-abcdefghijklmnopqrstuvwxyz01234",
    "hvs.CAESIabcdefghij0123456789",
    "npm_abcdefghij0123456789abcdefghij012345",
]
# Command lines as they are found in containers, one a line, words apart by a space; none holds a secret.
ORDINARY = """
nginx: master process nginx -g daemon off;
postgres: bob app 10.0.0.1(5432) idle
postgres -c password_encryption=scram-sha-256 -c shared_buffers=256MB
redis-server *:6379
redis-cli -h cache ping
/usr/sbin/sshd -D -o PasswordAuthentication=no -o PermitEmptyPasswords=no
sshd: bob@pts/0
ssh -i /home/bob/.ssh/id_ed25519 git@github.com git-upload-pack 'a/b.git'
git clone ssh://git@github.com/a/b.git
git -c credential.helper=store fetch https://github.com/a/b
python3 -m http.server 8000 --bind 127.0.0.1
python3 -I -S -c import signal; signal.pause()
/usr/local/bin/gunicorn app:app -b 0.0.0.0:8000 -w 4 --access-logfile -
gunicorn: worker [app]
uvicorn app:app --host 0.0.0.0 --port 80 --proxy-headers
celery -A app worker -l info -c 4
node --max-old-space-size=512 server.js
npm run start -- --port 3000
java -Xmx1g -XX:+UseG1GC -Duser.timezone=UTC -jar /app.jar --server.port=8080
java -Djavax.net.ssl.trustStore=/etc/ssl/java/cacerts -cp /a:/b Main
mysqld --user=mysql --datadir=/var/lib/mysql --socket=/run/mysqld/mysqld.sock
mysql -h db -u root -p app
mysqldump --single-transaction --host db app
mongod --bind_ip_all --replSet rs0
mongosh mongodb://db:27017/app
psql -h db -U bob --no-password app
etcd --listen-client-urls http://0.0.0.0:2379 --auth-token-ttl 300
kubelet --config=/var/lib/kubelet/config.yaml --container-runtime-endpoint=unix:///run/containerd/containerd.sock
kube-apiserver --token-auth-file=/etc/tokens.csv --service-account-issuer=https://kubernetes.default.svc
coredns -conf /etc/coredns/Corefile
prometheus --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.retention.time=15d
node_exporter --path.rootfs=/host --web.listen-address=:9100
grafana-server --homepath=/usr/share/grafana cfg:default.paths.logs=/var/log/grafana
envoy -c /etc/envoy/envoy.yaml --service-cluster front --concurrency 2
haproxy -W -db -f /usr/local/etc/haproxy/haproxy.cfg
traefik --providers.docker=true --entrypoints.web.address=:80
oauth2-proxy --cookie-secure=true --cookie-name=_proxy --client-secret-file=/run/secrets/oauth
vault agent -config=/etc/vault/agent.hcl
initd --tokens /run/tokens --listen [::]:9911 -- app
initd --user 1000:1000 -- app
docker run --rm -p 80:80 -v /data:/data --user 1000:1000 nginx:1.27
certbot renew --key-path /etc/letsencrypt/live/a/privkey.pem
app --private-key /etc/app/key.pem --signing-key=~/keys/a
app --password-file /run/secrets/db --token-ttl=5m --password-min-length 12
vllm serve m --max-num-batched-tokens 8192 --max-model-len 4096 --tokenizer-mode auto
ffmpeg -i in.mp4 -pass 1 -b:v 2M out.mp4
curl -fsS --user-agent probe http://localhost:8080/healthz
curl -g http://[::1]:9911/livez
curl -s -b cookies.txt -c cookies.txt https://h/
gunicorn -b 0.0.0.0:8000 -b unix:a=b app:app
http --auth-type digest --auth basic https://h/
app --auth ldap://ldap:389 --no-auth a:b --oauth a:b
app --auth=/etc/app:ro --basic-auth true
env PWD=/srv/app OLDPWD=/ app
sh -c cd /srv; PWD=/srv exec app
sh -c A=b; PWD=/srv/app exec app
sh -c echo; pwd; PWD=here app
rsync -avz --progress /src/ bob@host:/dst/
tail -F /var/log/app.log
sleep infinity
sh -c while true; do echo PWD=$PWD; sleep 1; done
sh -c exec curl http://$HOST:$PORT/x@y
find / -name *.py -newer /tmp/x
cat /proc/1/environ
tini -- app
supervisord -c /etc/supervisord.conf
perl -e print "a: b\\n"
""".strip().splitlines()


@pytest.mark.parametrize("words", HIDDEN, ids=" ".join)
def test_a_secret_is_hidden_wherever_it_is_written(words: list[str]) -> None:
    assert SECRET in " ".join(words)
    shown = redact(words)
    assert SECRET not in " ".join(shown)
    assert MARK in " ".join(shown)
    assert len(shown) == len(words)
    assert shown[0].split()[0] == words[0].split()[0]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape[:12])
@pytest.mark.parametrize("around", ["{}", "--x={}", "a {} b", "https://h/{}", "'{}'"])
def test_a_token_is_known_by_its_shape_alone(shape: str, around: str) -> None:
    shown = redact(["app", around.format(shape)])
    assert shown == ["app", around.format(MARK)] or shape == PEM[:45]
    assert shape not in shown[1]


@pytest.mark.parametrize("line", ORDINARY)
def test_an_ordinary_command_line_is_left_as_it_is(line: str) -> None:
    for words in (line.split(" "), [line], ["sh", "-c", line]):
        assert redact(words) == words


def test_what_surrounds_a_secret_stays() -> None:
    words = ["sh", "-c", "exec app --host db --password 'a b' --port 1 postgres://bob:x1@db/app?token=y2&z=3"]
    assert redact(words) == [
        "sh",
        "-c",
        f"exec app --host db --password '{MARK}' --port 1 postgres://bob:{MARK}@db/app?token={MARK}&z=3",
    ]
    assert json.loads(redact(["app", '{"token":"x1","n":1}'])[1]) == {"token": MARK, "n": 1}


def test_an_option_without_a_value_hides_no_other() -> None:
    words = ["mysql", "--password", "--host", "db", "--token", "-v"]
    assert redact(words) == words
    assert redact(["app", "--password"]) == ["app", "--password"]
    assert redact([]) == []


def test_a_word_that_was_cut_gives_nothing_away() -> None:
    assert redact(["app", "postgres://bob:s3cr3t…"]) == ["app", f"postgres://bob:{MARK}"]
    assert redact(["app", "--password=s3cr…"]) == ["app", f"--password={MARK}"]


WORDS = st.lists(
    st.text(max_size=40) | st.sampled_from([word for line in HIDDEN for word in line]), max_size=8
)


@given(WORDS)
@example(["", "--password", "***@x"])
@example(["a", "token:***@token:***@x"])
def test_any_text_is_redacted_once_and_for_all(words: list[str]) -> None:
    shown = redact(words)
    assert redact(shown) == shown
    assert len(shown) == len(words)


NAMES = [
    "password",
    "DB_PASSWORD",
    "api-key",
    "authToken",
    "client.secret",
    "AWS_SECRET_ACCESS_KEY",
    "PASSPHRASE",
]
PLANTED = st.text("abcXYZ0189+_%^", min_size=6, max_size=60).map(lambda text: f"Q{text}Q")
PLAIN = st.lists(st.text(max_size=20), max_size=3)


@given(
    st.sampled_from(NAMES),
    PLANTED,
    st.sampled_from(["--{}={}", "{}={}", "{}: {}", '{{"{}":"{}"}}', "https://h/?{}={}&a=b", "a=b;{}={};c=d"]),
    PLAIN,
)
def test_a_planted_secret_never_comes_out(name: str, secret: str, shape: str, rest: list[str]) -> None:
    word = shape.format(name, secret)
    assert secret not in "\0".join(redact(["app", *rest, word, *rest]))
    assert secret not in "\0".join(redact(["sh", "-c", f"x; app '{word}' y"]))
    assert secret not in "\0".join(redact(["app", f"--{name.lower()}", secret, *rest]))
    assert secret not in "\0".join(redact(["app", *rest, f"postgres://bob:{secret}@db/app"]))


REPEATED = [
    "a",
    "A",
    "aA",
    "eyJ",
    "://a",
    "http://a:b",
    "://a:$",
    "'",
    '"',
    "\\",
    '\\"',
    "-",
    ".",
    "=",
    " ",
    "a:",
    "a:b@",
    "sk-",
    "SG.",
    "-SG",
    "password=",
    "password='",
    'password="',
    "'password: ",
    "--password ",
    "password=''",
    "token: ",
    "bearer ",
    "token:***@",
    "private_key=/",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "mysql -p ",
    "curl -u ",
    "curl -b ",
    "curl -b a",
    "-b a=",
    "pwd=;",
    ";pwd=",
    "a=;Pwd=b",
    "-auth",
    "auth:",
    "--auth a:",
    "curl '",
    "\N{COMBINING ACUTE ACCENT}",
]


@pytest.mark.parametrize("part", REPEATED, ids=repr)
def test_no_text_makes_it_slow(part: str) -> None:
    """Linear is 0.2 s, and what tries every end for every beginning takes minutes."""
    text = part * (200_000 // len(part))
    assert _cpu_time(["app", text], ["sh", "-c", text], [text], ["app", *[part] * 2_000]) < 10.0


def test_a_command_line_of_a_megabyte_is_a_moments_work(figures: dict[str, object]) -> None:
    text = "".join(part * 100 for part in REPEATED)
    taken = _cpu_time(["sh", "-c", text * (1_000_000 // len(text) + 1)])
    figures["CPU time"] = f"{taken:.1f} s"
    assert taken < 10.0


def _cpu_time(*lines: list[str]) -> float:
    begin = time.process_time()
    for words in lines:
        redact(words)
    return time.process_time() - begin
