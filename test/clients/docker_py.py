# What docker-py's own integration tests ask, in small: docker_py.py DOCKER_HOST CLASS runs one class.
import io
import sys
import tarfile
import threading
import unittest

import docker
from docker.errors import APIError, NotFound

IMAGE = "busybox"
HOST = sys.argv[1]


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.client = docker.DockerClient(base_url=HOST, version="auto", timeout=30)
        self.api = self.client.api

    def tearDown(self):
        for container in self.client.containers.list(all=True):
            container.remove(force=True, v=True)
        self.client.networks.prune()
        for volume in self.client.volumes.list():
            volume.remove(force=True)
        self.client.close()

    def run_sleep(self, **more):
        return self.client.containers.run(IMAGE, ["sleep", "1000"], detach=True, **more)

    def status(self, call, *args, **named):
        with self.assertRaises(APIError) as caught:
            call(*args, **named)
        return caught.exception.response.status_code


def archive(**files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


class ContainerTest(ClientTest):
    def test_run_and_logs(self):
        self.assertEqual(self.client.containers.run(IMAGE, ["echo", "hello"], remove=True), b"hello\n")
        with self.assertRaises(docker.errors.ContainerError) as caught:
            self.client.containers.run(IMAGE, ["sh", "-c", "echo wrong >&2; exit 3"], remove=True)
        self.assertEqual((caught.exception.exit_status, caught.exception.stderr), (3, b"wrong\n"))
        container = self.client.containers.run(IMAGE, ["sh", "-c", "echo out; echo err >&2"], detach=True)
        self.assertEqual(container.wait(), {"StatusCode": 0})
        self.assertEqual(container.logs(stdout=False), b"err\n")
        self.assertEqual(list(container.logs(stderr=False, stream=True, follow=True)), [b"out\n"])
        self.assertRegex(container.logs(stderr=False, timestamps=True), rb"^\d{4}-.*Z out\n$")

    def test_wait_for_conditions(self):
        created = self.api.create_container(IMAGE, ["true"])
        self.api.start(created)
        self.assertEqual(self.api.wait(created)["StatusCode"], 0)
        self.assertIn("Warnings", created)

    def test_top_stats_diff_and_update(self):
        container = self.run_sleep(mem_limit="32m")
        top = container.top()
        self.assertEqual(top["Processes"][0][top["Titles"].index("CMD")], "sleep 1000")
        self.assertIn("%CPU", container.top(ps_args="waux")["Titles"])
        for key in ("read", "networks", "precpu_stats", "cpu_stats", "memory_stats", "blkio_stats"):
            self.assertIn(key, container.stats(stream=False))
        container.exec_run(["touch", "/new"])
        self.assertIn({"Path": "/new", "Kind": 1}, container.diff())
        container.update(mem_limit="64m", memswap_limit="64m", restart_policy={"Name": "always"})
        container.reload()
        self.assertEqual(container.attrs["HostConfig"]["Memory"], 64 << 20)
        self.assertEqual(container.attrs["HostConfig"]["RestartPolicy"]["Name"], "always")

    def test_files_in_and_out(self):
        container = self.run_sleep()
        self.assertTrue(container.put_archive("/tmp", archive(file="content")))
        chunks, stat = container.get_archive("/tmp/file")
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            self.assertEqual(tar.extractfile("file").read(), b"content")
        self.assertEqual((stat["name"], stat["size"]), ("file", 7))
        with self.assertRaises(NotFound):
            container.get_archive("/nothing")

    def test_attach_to_input_and_output(self):
        container = self.client.containers.create(IMAGE, ["cat"], stdin_open=True)
        socket = container.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
        container.start()
        socket._sock.sendall(b"typed\n")
        self.assertEqual(socket.read(14)[8:], b"typed\n")
        socket._sock.close()
        socket.close()

    def test_life(self):
        container = self.run_sleep(name="life", init=True, runtime="runc", labels={"a": "b"})
        self.assertEqual(container.attrs["HostConfig"]["Runtime"], "runc")
        self.assertEqual(self.status(self.run_sleep, name="life"), 409)
        container.pause()
        container.reload()
        self.assertEqual(container.status, "paused")
        container.unpause()
        container.rename("after")
        container.restart(timeout=0)
        container.kill(signal=9)
        self.assertEqual(container.wait()["StatusCode"], 137)
        self.assertEqual([each.name for each in self.client.containers.list(all=True, filters={"label": "a=b"})], ["after"])
        self.assertEqual(self.status(container.kill), 409)
        container.remove()
        with self.assertRaises(NotFound):
            self.client.containers.get("after")

    def test_log_drivers(self):
        log = docker.types.LogConfig(type="json-file", config={"max-file": "3"})
        self.assertEqual(self.client.containers.run(IMAGE, ["echo", "kept"], log_config=log), b"kept\n")
        wrong = docker.types.LogConfig(type="asdf", config={})
        self.assertIn(self.status(self.run_sleep, log_config=wrong), (400, 500))

    def test_links(self):
        self.run_sleep(name="db")
        linked = self.run_sleep(name="web", links={"db": "store"})
        self.assertIn(b"STORE_NAME=/web/store", linked.exec_run(["env"]).output)
        self.api.remove_container("web/store", link=True)


class ExecTest(ClientTest):
    def test_output_codes_and_environment(self):
        container = self.run_sleep()
        for call in range(50):
            self.assertEqual(container.exec_run(["echo", str(call)]), (0, b"%d\n" % call))
        self.assertEqual(container.exec_run(["sh", "-c", "exit 7"]).exit_code, 7)
        found = container.exec_run(["sh", "-c", "pwd; echo $A; id -u"], environment={"A": "b"}, workdir="/tmp", user="1000")
        self.assertEqual(found.output, b"/tmp\nb\n1000\n")
        both = container.exec_run(["sh", "-c", "echo out; echo err >&2"], demux=True)
        self.assertEqual(both.output, (b"out\n", b"err\n"))
        self.assertEqual(list(container.exec_run(["echo", "x"], stream=True).output), [b"x\n"])

    def test_inspect_and_detach(self):
        container = self.run_sleep()
        exec = self.api.exec_create(container.id, ["sleep", "1000"])
        self.api.exec_start(exec, detach=True)
        found = self.api.exec_inspect(exec["Id"])
        self.assertTrue(found["Running"])
        self.assertGreater(found["Pid"], 0)
        self.assertEqual(found["ContainerID"], container.id)

    def test_input(self):
        container = self.run_sleep()
        exec = self.api.exec_create(container.id, ["cat"], stdin=True)
        socket = self.api.exec_start(exec, socket=True)
        socket._sock.sendall(b"typed\n")
        self.assertEqual(socket.read(14)[8:], b"typed\n")
        socket._sock.close()
        socket.close()

    def test_no_such_container(self):
        with self.assertRaises(NotFound):
            self.api.exec_create("nothing", ["true"])


class NetworkTest(ClientTest):
    def test_connect_with_names_and_addresses(self):
        ipam = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet="10.210.0.0/24", gateway="10.210.0.254")])
        network = self.client.networks.create("own", ipam=ipam, labels={"a": "b"}, check_duplicate=True)
        self.assertEqual(self.status(self.client.networks.create, "own", check_duplicate=True), 409)
        container = self.run_sleep()
        network.connect(container, aliases=["alias"], ipv4_address="10.210.0.77")
        container.reload()
        settings = container.attrs["NetworkSettings"]["Networks"]["own"]
        self.assertEqual(settings["IPAddress"], "10.210.0.77")
        self.assertIn("alias", settings["Aliases"])
        network.reload()
        self.assertEqual([each.id for each in network.containers], [container.id])
        network.disconnect(container)
        self.assertEqual(self.status(network.disconnect, container), 403)

    def test_every_network_taken_and_given_back(self):
        container = self.run_sleep()
        bridge = self.client.networks.get("bridge")
        bridge.disconnect(container)
        bridge.connect(container)
        container.reload()
        self.assertEqual(list(container.attrs["NetworkSettings"]["Networks"]), ["bridge"])

    def test_short_id_among_aliases_of_earlier_versions(self):
        self.client.networks.create("own")
        container = self.run_sleep(network="own")
        for version, has_id in (("1.44", True), ("1.47", False)):
            api = docker.APIClient(base_url=HOST, version=version)
            aliases = api.inspect_container(container.id)["NetworkSettings"]["Networks"]["own"]["Aliases"]
            self.assertEqual(container.id[:12] in (aliases or []), has_id)
            api.close()

    def test_what_cannot_be(self):
        self.assertEqual(self.status(self.client.networks.create, "wrong", driver="host"), 403)
        self.assertEqual(self.status(self.client.networks.get, "nothing"), 404)
        self.assertEqual(self.status(self.client.networks.get("bridge").remove), 403)

    def test_list_and_prune(self):
        self.client.networks.create("own", internal=True)
        self.assertEqual([each.name for each in self.client.networks.list(names=["own"])], ["own"])
        self.assertEqual(self.client.networks.prune()["NetworksDeleted"], ["own"])


class VolumeTest(ClientTest):
    def test_life(self):
        volume = self.client.volumes.create("data", labels={"a": "b"})
        self.client.containers.run(IMAGE, ["sh", "-c", "echo x > /d/f"], volumes={"data": {"bind": "/d", "mode": "rw"}}, remove=True)
        self.assertEqual(self.client.containers.run(IMAGE, ["cat", "/d/f"], volumes=["data:/d:ro"], remove=True), b"x\n")
        self.assertEqual([each.name for each in self.client.volumes.list(filters={"label": "a"})], ["data"])
        container = self.run_sleep(mounts=[docker.types.Mount("/d", "data")])
        self.assertEqual(self.status(volume.remove), 409)
        container.remove(force=True)
        volume.remove()
        with self.assertRaises(NotFound):
            self.client.volumes.get("data")

    def test_unknown_driver(self):
        self.assertEqual(self.status(self.client.volumes.create, "wrong", driver="nothing"), 404)

    def test_prune(self):
        self.run_sleep(volumes=["/anonymous"]).remove(force=True)
        self.assertEqual(len(self.client.volumes.prune()["VolumesDeleted"]), 1)


class ImageTest(ClientTest):
    def test_build_and_its_shared_layers(self):
        dockerfile = b"FROM busybox AS base\nARG A\nRUN echo $A > /a\nLABEL made=here\nCMD cat /a\n"
        image, log = self.client.images.build(fileobj=io.BytesIO(dockerfile), tag="made:1", buildargs={"A": "b"}, rm=True)
        self.assertIn("made:1", image.tags)
        self.assertEqual(self.client.containers.run("made:1", remove=True), b"b\n")
        sizes = {tag: each for each in self.client.df()["Images"] for tag in each["RepoTags"] or []}
        base = sizes["busybox:latest"]
        self.assertEqual(sizes["made:1"]["SharedSize"], base["Size"])
        self.assertEqual(base["SharedSize"], base["Size"])
        self.client.images.remove("made:1")
        with self.assertRaises(docker.errors.BuildError):
            self.client.images.build(fileobj=io.BytesIO(b"FROM busybox\nRUN false\n"), rm=True)

    def test_commit_save_and_load(self):
        container = self.client.containers.run(IMAGE, ["touch", "/new"], detach=True)
        container.wait()
        image = container.commit("copy", "1", changes="CMD ls /new", conf={"Env": ["A=b"]})
        self.assertEqual([each.split("=")[0] for each in image.attrs["Config"]["Env"]], ["A", "PATH"])
        saved = b"".join(image.save(named="copy:1"))
        self.client.images.remove("copy:1")
        self.assertEqual([each.tags for each in self.client.images.load(saved)], [["copy:1"]])
        self.assertEqual(self.client.containers.run("copy:1", remove=True), b"/new\n")
        self.client.images.remove("copy:1")

    def test_what_is_no_archive(self):
        with self.assertRaises(docker.errors.ImageLoadError):
            self.client.images.load(b"no archive")

    def test_import(self):
        answer = self.api.import_image_from_data(archive(file="content"), repository="imported")
        self.assertIn("sha256:", answer)
        self.client.images.remove("imported")


class SystemTest(ClientTest):
    def test_events(self):
        events = self.client.events(decode=True, filters={"type": "container"})
        seen = []

        def listen():
            for event in events:
                seen.append(event["Action"])
                if event["Action"] == "destroy":
                    break

        listener = threading.Thread(target=listen)
        listener.start()
        self.client.containers.run(IMAGE, ["true"], remove=True)
        listener.join(20)
        self.assertEqual([each for each in seen if each in ("create", "start", "die", "destroy")], ["create", "start", "die", "destroy"])

    def test_no_swarm_and_no_plugins(self):
        self.assertEqual(self.client.plugins.list(), [])
        for call in (self.client.services.list, self.client.secrets.list, self.client.configs.list, self.client.nodes.list):
            self.assertEqual(self.status(call), 503)
        self.assertTrue(self.client.swarm.leave(force=True))

    def test_earliest_version_it_speaks(self):
        api = docker.APIClient(base_url=HOST, version="1.21")
        self.assertEqual(api.info()["ExecutionDriver"], "<not supported>")
        self.assertIn("ContainerConfig", api.inspect_image(IMAGE))
        api.close()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
