//! The one style, which the content policy lets in by its hash.

/// Phone first; every text has a contrast of at least 7 to 1 (WCAG 2.2, 1.4.6), every control is at least 44 pixels high and wide.
pub const STYLE: &str = "\
:root{color-scheme:light}\
*{box-sizing:border-box}\
body{margin:0;font:1.0625rem/1.55 system-ui,sans-serif;color:#1a1a1a;background:#fff;overflow-wrap:anywhere}\
.skip{position:absolute;left:-999rem;background:#fff;color:#003d80;padding:.75rem 1rem}\
.skip:focus{left:0;top:0}\
header,main,footer{max-width:42rem;margin:0 auto;padding:1rem}\
header nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}\
header a{display:inline-block;padding:.625rem 0;min-width:2.75rem;min-height:2.75rem}\
header p{margin:0;font-weight:700}\
footer{margin-top:2rem;border-top:1px solid #ccc;font-size:.9375rem;color:#404040}\
h1{font-size:1.625rem;line-height:1.25;margin:.5rem 0 1rem}\
h2{font-size:1.25rem;line-height:1.3;margin:2rem 0 .5rem}\
a{color:#003d80}\
.lead{font-size:1.1875rem}\
.band{margin:1.5rem 0 0;padding:.625rem 1rem;color:#fff;background:#4a4a4a;font-weight:700}\
.band.live{background:#8f0015}\
.box{border:2px solid #4a4a4a;padding:0 1rem 1rem}\
.box.live{border-color:#8f0015}\
.note{border-left:.375rem solid #7a4b00;background:#fff6e5;padding:.75rem 1rem}\
dl{display:grid;grid-template-columns:minmax(7rem,auto) 1fr;gap:.375rem 1rem;margin:1rem 0}\
dl.long{display:block}\
dl.long dd{margin-bottom:.625rem}\
dt{font-weight:600}\
dd{margin:0}\
button{font:inherit;font-weight:700;color:#fff;background:#003d80;border:0;border-radius:.375rem;min-height:3rem;padding:.75rem 1.25rem;width:100%;cursor:pointer}\
button.live{background:#8f0015}\
:focus-visible{outline:3px solid #b35900;outline-offset:2px}\
code{font-size:.9375em}\
main>.band:first-child{margin-top:0}\
main>.band:first-child+h1{margin-top:1rem}\
.facts dt{color:#404040}\
.facts dd p{margin:0 0 .25rem}\
.facts .heed{border-left:.375rem solid #7a4b00;background:#fff6e5;padding:.25rem .75rem;font-weight:600}\
.caller{border:2px dashed #7a4b00;background:#fff6e5;padding:0 1rem 1rem;margin:2rem 0}\
.caller h2{margin-top:1rem}\
.caller blockquote{margin:0;padding:.75rem 1rem;background:#fff;border:1px solid #ccc}\
label{display:block;font-weight:600;margin-bottom:.25rem}\
textarea{font:inherit;color:inherit;background:#fff;width:100%;min-height:6rem;padding:.625rem;border:2px solid #4a4a4a;border-radius:.375rem}\
.hint{font-size:.9375rem;color:#404040;margin:0 0 .5rem}\
.choices{display:flex;flex-direction:column;gap:1.25rem;margin-top:1.25rem}\
button.approve,button.deny{min-height:3.5rem}\
button.approve{background:#0b5226}\
button span{display:block;font-size:.9375rem;font-weight:400}\
.way{display:inline-block;padding:.625rem 0;min-height:2.75rem;min-width:2.75rem}\
li>.way{display:block}\
button.deny{background:#fff;color:#8f0015;border:2px solid #8f0015}\
@media(min-width:40rem){button{width:auto}dl.long{display:grid}dl.long dd{margin:0}\
.facts{grid-template-columns:12rem 1fr}\
.choices{flex-direction:row;gap:2rem}button.approve,button.deny{flex:1}}";
