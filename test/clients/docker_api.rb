# What users of ruby's docker-api do: docker_api.rb DOCKER_HOST ends with 1 and a line where something is not as it should be.
require 'docker'
require 'rubygems/package'

Docker.url = ARGV.fetch(0)

def check(what, found, wanted)
  abort "#{what}: #{found.inspect}, not #{wanted.inspect}" unless found == wanted
end

container = Docker::Container.create('Image' => 'busybox', 'Cmd' => %w[sleep 1000], 'name' => 'ruby')
begin
  container.start
  20.times { |call| check('exec', container.exec(['echo', call.to_s]), [["#{call}\n"], [], 0]) }
  check('input of exec', container.exec(['cat'], stdin: StringIO.new('typed')), [['typed'], [], 0])
  check('exit code', container.exec(['sh', '-c', 'echo wrong >&2; exit 3']), [[], ["wrong\n"], 3])
  container.store_file('/tmp/file', 'content')
  check('a file', container.read_file('/tmp/file'), 'content')
  check('processes', container.top.map { |each| each['CMD'] }, ['sleep 1000'])
  check('stop', container.stop('timeout' => 0).json['State']['ExitCode'], 137)
ensure
  container.remove(force: true)
end

cat = Docker::Container.create('Image' => 'busybox', 'Cmd' => ['cat'], 'OpenStdin' => true, 'StdinOnce' => true)
begin
  cat.start
  check('attach', cat.attach(stdin: StringIO.new("typed\n")), [["typed\n"], []])
  check('wait', cat.wait['StatusCode'], 0)
  check('logs', cat.logs(stdout: true)[8..], "typed\n")
ensure
  cat.remove(force: true)
end

image = Docker::Image.build("FROM busybox\nRUN echo built > /f\nCMD cat /f\n", 't' => 'ruby:1')
ran = image.run
ran.wait
check('a built image', ran.logs(stdout: true)[8..], "built\n")
copy = ran.commit('repo' => 'committed', 'tag' => '1')
check('a committed image', Docker::Image.exist?('committed:1'), true)
ran.remove
copy.remove(force: true)
image.remove(force: true)

network = Docker::Network.create('ruby-net')
check('networks', Docker::Network.all.map { |each| each.info['Name'] }.include?('ruby-net'), true)
network.remove
volume = Docker::Volume.create('ruby-volume')
check('a volume', Docker::Volume.get('ruby-volume').info['Name'], 'ruby-volume')
volume.remove
begin
  Docker::Container.get('nothing')
  abort 'a container that is not there was found'
rescue Docker::Error::NotFoundError
  puts 'done'
end
