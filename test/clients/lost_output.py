# Counts the programs in the container 'host' whose output does not come whole. usage: HOST TIMES
import docker, sys
client = docker.DockerClient(base_url=sys.argv[1], timeout=60)
container = client.containers.get('host')
lost = 0
for call in range(int(sys.argv[2])):
    if container.exec_run(['echo', str(call)]).output != b'%d\n' % call: lost += 1
for call in range(20):
    if container.attach(stream=False, logs=True, stdout=True) != b'begins\n': lost += 1
print(lost)
