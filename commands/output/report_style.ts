/** The style of the HTML report: light and dark, narrow and wide, on paper. */
export const REPORT_STYLE = `
:root{color-scheme:light dark;--page:#f4f6f9;--card:#fff;--text:#1d2530;--dim:#5d6a7a;--line:#e1e6ed;--dark:rgba(32,48,74,.1);
--phase:#4a76c9;--part:#2f9385;--failed:#c9403a;--open:#b98a2b;--kernel:#c9762b;--between:#e9c6a4;--good:#1f7a4d}
@media screen and (prefers-color-scheme:dark){:root{--page:#0e131a;--card:#161c25;--text:#e6ebf2;--dim:#98a5b7;--line:#29323f;--dark:rgba(185,205,240,.13);
--phase:#6d97e8;--part:#4fbcac;--failed:#f07a73;--open:#dcae4f;--kernel:#eb9a4d;--between:#80603f;--good:#5fcf96}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;-webkit-text-size-adjust:100%}
main{max-width:1080px;margin:0 auto;padding:28px 20px 48px}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:0 0 12px}
p{margin:0 0 8px}.dim{color:var(--dim)}
header{margin-bottom:20px}
.outcome{display:inline-block;padding:1px 10px;border-radius:999px;border:1px solid currentColor;font-size:.85rem;font-weight:600;color:var(--good);vertical-align:middle;margin-left:6px}
.outcome.bad{color:var(--failed)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:12px;margin-bottom:16px}
.tile,section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.tile b{display:block;font-size:1.55rem;line-height:1.2;font-variant-numeric:tabular-nums;font-weight:650}
.tile span{display:block;color:var(--dim);font-size:.82rem}
section{margin-bottom:16px}
.alarm{border-left:4px solid var(--failed)}
.row{display:grid;grid-template-columns:minmax(90px,190px) 1fr 84px;column-gap:12px;align-items:stretch;min-height:26px}
.name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;align-self:center;font-size:.9rem}
.row.of .name{padding-left:16px;color:var(--dim)}
.took{align-self:center;text-align:right;font-size:.82rem;color:var(--dim);font-variant-numeric:tabular-nums;white-space:nowrap}
.track{position:relative}
.track i{position:absolute;top:0;bottom:0}
.track i.dark{background:var(--dark)}
.track i.grid{width:1px;background:var(--line)}
.track i.bar{top:6px;bottom:6px;border-radius:3px;min-width:3px}
.phase{background:var(--phase)}.part{background:var(--part)}.failed{background:var(--failed)}.kernel{background:var(--kernel)}
.open{background:repeating-linear-gradient(45deg,var(--open) 0 5px,transparent 5px 9px)}
.between{background:repeating-linear-gradient(45deg,var(--between) 0 5px,var(--kernel) 5px 7px)}
.axis{min-height:24px}.axis .track span{position:absolute;top:3px;transform:translateX(-50%);font-size:.75rem;color:var(--dim);white-space:nowrap}
.axis .track span.first{transform:none}.axis .track span.last{transform:translateX(-100%)}
.key{display:flex;flex-wrap:wrap;gap:4px 16px;margin-top:10px;font-size:.8rem;color:var(--dim)}
.key i{display:inline-block;width:18px;height:10px;border-radius:3px;margin-right:6px}
.key i.dark{background:var(--dark);border:1px solid var(--line)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.88rem}
th{text-align:left;color:var(--dim);font-weight:600}
th,td{padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.wide{overflow-wrap:anywhere;min-width:100px}
code{font:.85em ui-monospace,monospace;overflow-wrap:anywhere}
.bad{color:var(--failed)}
ul{margin:0;padding-left:20px}
footer{color:var(--dim);font-size:.8rem}
@media(max-width:620px){main{padding:18px 12px 32px}h1{font-size:1.2rem}.tiles{grid-template-columns:1fr 1fr;gap:8px}.tile,section{padding:12px}
.tile b{font-size:1.2rem}.row{grid-template-columns:1fr auto;row-gap:0;padding-bottom:4px}.name{grid-column:1}.took{grid-column:2}
.track{grid-column:1/3;height:20px;grid-row:2}.axis .track{grid-row:1;height:22px}.track i.bar{top:3px;bottom:3px}.axis .name,.axis .took{display:none}
.axis .track span.odd{display:none}
table{font-size:.8rem}th,td{padding-right:9px;overflow-wrap:anywhere}
.many tr{display:grid;grid-template-columns:1fr .95fr .85fr 1.2fr 1.1fr;border-bottom:1px solid var(--line)}
.many tr:last-child{border-bottom:0}.many th,.many td{border:0;padding-right:6px;min-width:0}
.many .reason{grid-column:1/-1;color:var(--dim)}.many th.reason,.many td.reason:empty{display:none}.many td.reason{padding-top:0}}
@media print{:root{color-scheme:light}body{background:#fff}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
section,.tile,.row,tr{break-inside:avoid}h2{break-after:avoid}}
`;
