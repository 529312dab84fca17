Page({ data: { title: 'Thank you for every order' } })
