/** One small style sheet for every page; light and dark by the reader's setting. */
export const styleSheet = `:root { color-scheme: light dark; --ink: #1c1b1a; --paper: #fdfcfa; --line: #d8d4cc; --accent: #1f5d50; --soft: #f3f0ea; --warn: #8a3b12; }
@media (prefers-color-scheme: dark) { :root { --ink: #ece9e4; --paper: #191817; --line: #46423c; --accent: #8fd3c1; --soft: #24221f; --warn: #f0b08a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; }
header, main, footer { max-width: 44rem; margin: 0 auto; padding: 1rem 1.25rem; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; border-bottom: 1px solid var(--line); }
header .name { font-weight: 700; color: inherit; text-decoration: none; margin-right: auto; }
footer { color: inherit; font-size: .85rem; border-top: 1px solid var(--line); margin-top: 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1rem 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
a { color: var(--accent); }
ul.rows { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
ul.rows > li { padding: .9rem 0; border-bottom: 1px solid var(--line); }
.badge { display: inline-block; padding: .1rem .5rem; border: 1px solid var(--line); border-radius: 1rem; font-size: .8rem; }
.badge.private { color: var(--warn); border-color: currentColor; }
.code { font: 1.75rem/1.5 ui-monospace, monospace; letter-spacing: .15em; }
.hint { font-size: .92rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--soft); padding: .75rem 1rem; border-radius: .4rem; font-size: .85rem; }
.problem { border: 1px solid var(--warn); background: var(--soft); padding: .75rem 1rem; border-radius: .4rem; }
label.field { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
input[type=email], input[type=text], input[type=password], select { width: 100%; font: inherit; padding: .6rem .7rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--paper); color: inherit; }
label.choice { display: flex; gap: .7rem; align-items: flex-start; cursor: pointer; }
label.choice input { width: 1.25rem; height: 1.25rem; margin-top: .2rem; flex: none; }
.buttons { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; margin-top: 1.5rem; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1rem; border: 1px solid var(--accent); border-radius: .4rem; background: var(--paper); color: var(--accent); cursor: pointer; }
button.link { min-height: 1.5rem; padding: 0; border: 0; background: none; font-weight: 400; text-decoration: underline; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`
