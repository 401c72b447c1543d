// Names of containers: random ones ('patient_otter'), and the rule for those that users choose.

import { randomInt } from 'node:crypto';
import { badParameter } from '../../formats/errors.ts';

const ADJECTIVES =
  `able agile amber ample apt bold brave breezy bright brisk calm candid careful cheerful chief civil
clear clever cosy crisp curious daring deft direct eager early earnest easy even exact fair fancy fast fine firm fluent
fond frank free fresh gentle glad golden good grand green handy happy hardy honest humble ideal jolly keen kind lively
loyal lucid lucky lunar mellow merry mild modest neat nimble noble novel open patient plain playful polite prime proud
pure quick quiet rapid ready regal rich robust rosy round safe sharp shiny silent silver simple sleek smart smooth
snappy sober solar solid spry stable steady still stout sunny sure swift tender thorough tidy tiny topical tranquil
true trusty upbeat valid vast vivid warm wise witty young zesty`.split(/\s+/);

const NOUNS =
  `albatross alder ant aspen badger barge basil bear beaver beech birch bison brig buoy canoe caribou cedar
clam clover cod condor coral cormorant crab crane cricket curlew cutter cypress deer dhow dolphin dory dove dugong eagle
eel egret elm ermine falcon fern ferry finch fir flax flounder fox frigate frog galleon gannet gecko gibbon goose grebe
gull hare hawk hazel heather heron herring hippo hornbeam ibex ibis iris ivy jackal jay juniper kayak kelp kestrel kite
koala lark larch laurel lemur lily limpet linden ling lobster lotus lugger lynx mackerel magpie manatee maple marlin
marten mink mole moose moss mussel narwhal newt oak octopus orca osprey otter owl oyster panda parrot pelican penguin
perch petrel pike pine plover poplar porpoise puffin quail rabbit raft raven ray robin rowan salmon schooner seal sedge
shad shark shrew shrimp skate skiff sloop snail sole sparrow spruce squid squirrel starling stork swallow swan swift
tamarin tapir tern thistle thrush toad trout tug tuna turtle urchin vole walnut walrus wasp weasel whale willow wren
yak yawl yew zebra`.split(/\s+/);

/** A free name; with a digit at the end if random names keep being taken. */
export function randomName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const name = `${pick(ADJECTIVES)}_${pick(NOUNS)}${attempt < 6 ? '' : randomInt(10 ** Math.min(attempt - 5, 9))}`;
    if (!isTaken(name)) return name;
  }
}

/** Docker's rule. */
export const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Removes the leading '/' that the API shows, and checks the name. */
export function checkedName(name: string): string {
  const bare = name.startsWith('/') ? name.slice(1) : name;
  if (!NAME.test(bare)) {
    throw badParameter(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  }
  return bare;
}

function pick(words: string[]): string {
  return words[randomInt(words.length)]!;
}
