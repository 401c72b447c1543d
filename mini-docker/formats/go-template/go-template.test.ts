import { expect, test } from 'vitest';
import { FormatError } from '../errors.ts';
import { compileTemplate, type TemplateOptions } from './go-template.ts';

const container = {
  Id: '1c281d4d37d2',
  Name: '/tpl',
  Path: 'sh',
  Args: ['-c', 'echo hi'],
  RestartCount: 0,
  State: { Status: 'created', Running: false, Pid: 0, Error: '' },
  Config: { Env: ['X=y', 'PATH=/bin'], Labels: { b: '2', a: '1' }, Volumes: null, OnBuild: null },
  HostConfig: {
    Links: null,
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    PortBindings: {
      '80/tcp': [{ HostIp: '', HostPort: '8080' }],
      '53/udp': [{ HostIp: '', HostPort: '53' }],
    },
  },
};

const options: TemplateOptions = {
  aliases: { ID: 'Id' },
  nil: { Links: 'list', Volumes: 'map', Labels: 'map', OnBuild: 'list', Health: 'nil' },
  structs: [
    [
      ['HostIp', ''],
      ['HostPort', ''],
    ],
    [
      ['Name', ''],
      ['MaximumRetryCount', 0],
    ],
  ],
};
const run = (template: string) => compileTemplate(template, options)(container);

// What docker 28.2 prints for a container of the same configuration.
test.each([
  ['{{.State.Pid}}', '0'],
  ['{{.ID}} {{.Id}}', '1c281d4d37d2 1c281d4d37d2'],
  ['{{.HostConfig.Links}}', '[]'],
  ['{{json .HostConfig.Links}}', 'null'],
  ['{{.Config.Labels}}', 'map[a:1 b:2]'],
  ['{{.Config.Volumes}} {{.Config.OnBuild}}', 'map[] []'],
  ['{{.HostConfig.PortBindings}}', 'map[53/udp:[{ 53}] 80/tcp:[{ 8080}]]'],
  ['{{.HostConfig.RestartPolicy}}', '{no 0}'],
  ['{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}', 'a=1 b=2 '],
  ['{{index .Config.Env 0}}', 'X=y'],
  ['{{printf "%.3s|%d|%q" .Name .State.Pid .Path}}', '/tp|0|"sh"'],
  ['{{join .Args ","}}', '-c,echo hi'],
  ['{{len .Config.Env}}', '2'],
  ['{{.State.Health}}', '<nil>'],
  ['{{if .State.Health}}y{{else}}n{{end}}', 'n'],
  ['{{.Name | title | upper | printf "%s-%s" "x"}}', 'x-/TPL'],
  ['{{with .State}}{{.Status}}{{end}}', 'created'],
  ['{{/* c */}}x {{- " y" -}} z', 'x yz'],
  ['{{eq .State.Pid 0}} {{lt 1 2}} {{and 1 0}} {{or "" "b"}} {{not true}}', 'true true 0 b false'],
  ['{{println 1 "a" 2}}', '1 a 2\n'],
  ['{{$x := .Name}}{{$x}} {{$x = "b"}}{{$x}}', '/tpl b'],
  ['{{(index (index .HostConfig.PortBindings "80/tcp") 0).HostPort}}', '8080'],
  ['{{split .Name "p"}}', '[/t l]'],
  ['{{range $i, $e := .Args}}{{if $i}},{{end}}{{$e}}{{else}}none{{end}}', '-c,echo hi'],
  ['{{"a\\tb"}} {{`raw\\t`}} {{1.5}} {{true}}', 'a\tb raw\\t 1.5 true'],
  ['{{truncate .Name 2}} {{pad .Name 1 2}}', '/t  /tpl  '],
  ['{{index .Config.Labels "zz"}}|{{.Config.Labels.zz}}|', '|<no value>|'],
  ['{{print "a" 1 2 "b"}}', 'a1 2b'],
  ['{{.State.Running}}{{.RestartCount}}', 'false0'],
  ['{{if eq .Path "x"}}1{{else if .State.Running}}2{{else}}3{{end}}', '3'],
  ['{{range .Args}}[{{.}}{{$.Path}}]{{end}}', '[-csh][echo hish]'],
  ['{{with $e := index .Config.Env 1}}{{$e}}{{end}}', 'PATH=/bin'],
  ['{{if or (eq .Path "a") (and (gt 3 2) (ne .Path "a"))}}y{{end}}', 'y'],
  ['{{json .State}}', '{"Status":"created","Running":false,"Pid":0,"Error":""}'],
  ['a{{range .Config.Volumes}}x{{else}}none{{end}}', 'anone'],
  [
    '{{printf "%5d|%-5s|%05d|%x|%t|%%|%.2f" 42 "ab" 42 255 true 3.14159}}',
    '   42|ab   |00042|ff|true|%|3.14',
  ],
])('%s gives %j', (template, expected) => {
  expect(run(template)).toBe(expected);
});

test.each([
  [
    '{{.State.Health.Status}}',
    ':1:8: executing "" at <.State.Health.Status>: nil pointer evaluating interface {}.Status',
  ],
  ['{{.Foo}}', ':1:2: executing "" at <.Foo>: map has no entry for key "Foo"'],
  ['{{.State.Foo}}', ':1:8: executing "" at <.State.Foo>: map has no entry for key "Foo"'],
  ['{{foo}}', ':1: function "foo" not defined'],
  ['{{if}}', ':1: missing value for if'],
  ['{{end}}', ':1: unexpected {{end}}'],
  ['{{if .Name}}', ':1: unexpected EOF'],
  ['{{else}}', ':1: unexpected {{else}}'],
  ['{{$y}}', ':1: undefined variable "$y"'],
  ['{{.Name | 3}}', ':1: non executable command in pipeline stage 2'],
  ['{{index .Args 9}}', ':1:2: executing "" at <index .Args 9>: error calling index: index out of range: 9'],
  ['{{"abc', ':1: unterminated quoted string'],
  ['{{len 3}}', ':1:2: executing "" at <len 3>: error calling len: len of type int'],
  ['{{lt "a" 1}}', ':1:2: executing "" at <lt "a" 1>: error calling lt: incompatible types for comparison'],
  ['{{1 2}}', ':1:2: executing "" at <1>: can\'t give argument to non-function 1'],
  ['{{.Name', ':1: unclosed action'],
  ['{{.Name}} {{ .Foo }}\n{{.Bar}}', ':1:13: executing "" at <.Foo>: map has no entry for key "Foo"'],
  ['{{.Name}}\n{{.Bar}}', ':2:2: executing "" at <.Bar>: map has no entry for key "Bar"'],
  ['{{.constructor}}', ':1:2: executing "" at <.constructor>: map has no entry for key "constructor"'],
])('%s is an error that says where', (template, expected) => {
  expect(() => run(template)).toThrow(new FormatError(`template: ${expected}`));
});

test('a function in the data is called with arguments', () => {
  const row = { Label: (name: string) => `<${name}>` };
  expect(compileTemplate('{{.Label "com.example"}}')(row)).toBe('<com.example>');
  expect(compileTemplate('{{"x" | .Label}}')(row)).toBe('<x>');
});

test('fields that JSON left out have the zero of their type, and sets print as sets', async () => {
  const { INSPECT_OPTIONS } = await import('../../cli/show/inspect-format.ts');
  const print = (template: string, data: object) => compileTemplate(template, INSPECT_OPTIONS)(data);
  const config = { Config: { Hostname: 'x' } };
  const shown =
    '{{.Config.StopSignal}}|{{.Config.NetworkDisabled}}|{{.Config.ExposedPorts}}|{{.Config.Healthcheck}}';
  expect(print(shown, config)).toBe('|false|map[]|<nil>');
  expect(print('{{json .Config.StopSignal}} {{json .Config.ExposedPorts}}', config)).toBe('"" null');
  const mounts = { Mounts: [{ Type: 'bind' }, { Type: 'volume', Name: 'v', Driver: 'local' }] };
  expect(print('{{range .Mounts}}{{.Name}},{{.Driver}};{{end}}', mounts)).toBe(',;v,local;');
  expect(print('{{.Config.ExposedPorts}}', { Config: { ExposedPorts: { '80/tcp': {} } } })).toBe(
    'map[80/tcp:{}]',
  );
  // As docker prints it, a struct with all its fields.
  expect(print('{{.Config}}', { Config: { Hostname: 'x', Env: ['A=b'], Cmd: ['sh'], Labels: null } })).toBe(
    '{x   false false false map[] false false false [A=b] [sh] <nil> false  map[]  [] false  [] map[]  <nil> []}',
  );
  const log = { LogConfig: { Type: 'json-file', Config: {} } };
  expect(print('{{.LogConfig}} {{.LogConfig.Config.nope}}', log)).toBe('{json-file map[]} <no value>');
});
