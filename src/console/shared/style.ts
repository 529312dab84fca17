/** One small style sheet for every page; light and dark by the reader's setting. */
export const styleSheet = `:root { color-scheme: light dark; --ink: #1c1b1a; --paper: #fdfcfa; --line: #d8d4cc; --accent: #1f5d50; --soft: #f3f0ea; --warn: #8a3b12; --quiet: #5b5750; }
@media (prefers-color-scheme: dark) { :root { --ink: #ece9e4; --paper: #191817; --line: #46423c; --accent: #8fd3c1; --soft: #24221f; --warn: #f0b08a; --quiet: #b4aea5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; overflow-wrap: anywhere; }
header, main, footer { max-width: 44rem; margin: 0 auto; padding: 1rem 1.25rem; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; border-bottom: 1px solid var(--line); }
header .name { font-weight: 700; color: inherit; text-decoration: none; margin-right: auto; }
footer { color: inherit; font-size: .85rem; border-top: 1px solid var(--line); margin-top: 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1rem 0; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: .5rem 0; }
a { color: var(--accent); }
ul.rows { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
ul.rows > li { padding: .9rem 0; border-bottom: 1px solid var(--line); }
.badge { display: inline-block; padding: .1rem .5rem; border: 1px solid var(--line); border-radius: 1rem; font-size: .8rem; }
.badge.private { color: var(--warn); border-color: currentColor; }
.badges { display: flex; flex-wrap: wrap; gap: .35rem; margin: .35rem 0 .5rem; }
.code { font: 1.75rem/1.5 ui-monospace, monospace; letter-spacing: .15em; }
.hint { font-size: .92rem; }
.who { margin-bottom: 1.5rem; }
.who p { margin: .2rem 0; }
dl.facts { margin: .5rem 0; font-size: .92rem; }
dl.facts > div { display: grid; grid-template-columns: 11rem 1fr; gap: 0 1rem; padding: .2rem 0; }
dl.facts dt { color: var(--quiet); }
dl.facts dd { margin: 0; grid-column: 2; overflow-wrap: anywhere; }
section.outcome dl.facts { font-size: 1rem; }
section.outcome dl.facts > div { padding: .4rem 0; }
section.separate { border: 1px solid var(--line); border-left: .3rem solid var(--warn); border-radius: .4rem; padding: 0 1.25rem; margin-top: 2.25rem; }
section.separate h2, section.changes h2 { margin-top: 1rem; }
section.separate ul.rows > li:last-child { border-bottom: 0; }
section.changes { background: var(--soft); border-radius: .4rem; padding: .1rem 1.25rem .5rem; }
li.with-choice > .says { padding-left: 1.95rem; }
details { margin-top: .5rem; }
summary { cursor: pointer; color: var(--accent); min-height: 1.75rem; font-size: .92rem; }
ul.links { list-style: none; margin: 1rem 0; padding: 0; }
ul.links a { display: inline-block; padding: .25rem 0; }
.notice { background: var(--soft); padding: .75rem 1rem; border-radius: .4rem; }
@media (max-width: 34rem) {
  dl.facts > div { grid-template-columns: 1fr; padding: .35rem 0; }
  dl.facts dd { grid-column: 1; }
  section.separate, section.changes { padding-left: .8rem; padding-right: .8rem; }
}
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--soft); padding: .75rem 1rem; border-radius: .4rem; font-size: .85rem; }
.problem { border: 1px solid var(--warn); background: var(--soft); padding: .75rem 1rem; border-radius: .4rem; }
label.field { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
input[type=email], input[type=text], input[type=password], select { width: 100%; font: inherit; padding: .6rem .7rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--paper); color: inherit; }
label.choice { display: flex; gap: .7rem; align-items: flex-start; cursor: pointer; }
label.choice input { width: 1.25rem; height: 1.25rem; margin-top: .2rem; flex: none; }
.buttons { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; margin-top: 1.5rem; }
button, a.button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1rem; border: 1px solid var(--accent); border-radius: .4rem; background: var(--paper); color: var(--accent); cursor: pointer; }
a.button { display: grid; place-items: center; text-align: center; text-decoration: none; }
button[hidden] { display: none; }
.done { border: 1px solid var(--accent); background: var(--soft); padding: .75rem 1rem; border-radius: .4rem; }
fieldset { border: 0; margin: 1rem 0 0; padding: 0; }
legend { font-weight: 600; padding: 0; }
.qr { display: block; width: 13rem; max-width: 100%; margin: 1rem 0; }
.qr-light { fill: #fff; }
.qr-dark { fill: #000; }
code.secret { font-size: 1.1rem; letter-spacing: .05em; }
button.link { min-height: 1.5rem; padding: 0; border: 0; background: none; font-weight: 400; text-decoration: underline; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`
