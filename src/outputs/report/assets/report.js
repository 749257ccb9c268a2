// Behaviour of the report. Runs at the end of the page, alone, without network; nothing here makes markup out of text.

/** Pictures wait as text in data blocks until their card comes near. */
function showPictures(within) {
  for (const image of within.querySelectorAll('image[data-picture]:not([href])')) {
    const block = document.getElementById(image.dataset.picture);
    if (block === null) continue;
    image.addEventListener('load', () => image.classList.add('loaded'), { once: true });
    image.setAttribute('href', block.textContent);
  }
}

const cards = [...document.querySelectorAll('.card')];
const near = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      showPictures(target);
      near.unobserve(target);
    }
  },
  { rootMargin: '900px' },
);
cards.forEach((card) => near.observe(card));
addEventListener('beforeprint', () => showPictures(document));

/** Before and after: the range input says how much of the picture shows before. */
const BLINK_MS = 700;

function split(pair, share) {
  pair.style.setProperty('--split', `${share}%`);
}

for (const pair of document.querySelectorAll('.pair')) {
  const slide = pair.querySelector('.slide');
  const blink = pair.querySelector('.blink');
  let timer;
  split(pair, slide.value);

  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    blink.setAttribute('aria-pressed', 'false');
  };

  slide.addEventListener('input', () => {
    stop();
    split(pair, slide.value);
    slide.setAttribute('aria-valuetext', `${slide.value} % before`);
  });

  // As the astronomers' comparator did it: the same place, one plate after the other.
  blink.addEventListener('click', () => {
    if (timer !== undefined) {
      stop();
      split(pair, slide.value);
      return;
    }
    let before = true;
    const flip = () => {
      split(pair, before ? 100 : 0);
      before = !before;
    };
    flip();
    timer = setInterval(flip, BLINK_MS);
    blink.setAttribute('aria-pressed', 'true');
  });
}

/** The life of a change: each step shows its own pictures. */
for (const button of document.querySelectorAll('[data-show]')) {
  button.addEventListener('click', () => {
    const card = button.closest('.card');
    for (const other of card.querySelectorAll('[data-show]')) {
      other.setAttribute('aria-pressed', String(other === button));
    }
    for (const view of card.querySelectorAll('.view')) view.hidden = view.dataset.step !== button.dataset.show;
  });
}

/** Filter by kind. */
const filters = [...document.querySelectorAll('[data-filter]')];
const marks = [...document.querySelectorAll('.mark')];
const conditions = document.querySelector('.conditions');

function show(kind) {
  const wanted = (element) => kind === '' || element.dataset.kind === kind;
  for (const button of filters) button.setAttribute('aria-pressed', String(button.dataset.filter === kind));
  for (const card of cards) card.hidden = !wanted(card);
  for (const mark of marks) mark.classList.toggle('filtered', !wanted(mark));
  if (conditions !== null) conditions.hidden = !conditions.querySelector('.card:not([hidden])');
  const shown = cards.filter((card) => !card.hidden).length;
  document.querySelector('.filter [role=status]').textContent = `${shown} of ${cards.length} shown`;
}

for (const button of filters) button.addEventListener('click', () => show(button.dataset.filter));

/** A mark of the timeline leads to its card, also one that the filter hides; a card lights up its mark. */
for (const mark of marks) {
  const card = document.getElementById(mark.getAttribute('href').slice(1));
  mark.addEventListener('click', () => {
    if (card.hidden) show('');
    card.focus({ preventScroll: true });
  });
  const light = (on) => () => mark.classList.toggle('current', on);
  card.addEventListener('pointerenter', light(true));
  card.addEventListener('pointerleave', light(false));
  card.addEventListener('focusin', light(true));
  card.addEventListener('focusout', light(false));
}
